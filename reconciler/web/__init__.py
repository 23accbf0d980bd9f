"""What Dispatch answers over HTTP: the gates that Argo Rollouts asks."""
