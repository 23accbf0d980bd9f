"""YAML and JSON text to plain values, read as kubectl reads them, in a child process."""
