"""How the customers of the shop are served, as Prometheus counts it."""

from __future__ import annotations

import urllib3


class Customers:
    """Asks Prometheus about the last seconds."""

    def __init__(self, prometheus: str) -> None:
        self._prometheus = prometheus

    def behind(self, service: str) -> dict[str, float]:
        """By version: how many requests a second the pods behind the Service have answered lately."""
        return self._measured(f'sum by (version) (rate(http_requests_total{{service="{service}"}}[3s])) > 0')

    def served(self, service: str, version: str) -> float:
        return self.behind(service).get(version, 0.0)

    def errors(self, service: str, version: str) -> float:
        """The share of answers that were errors lately."""
        requests = f'http_requests_total{{service="{service}",version="{version}"'
        query = f'sum by (version) (rate({requests},code=~"5.."}}[5s])) / sum by (version) (rate({requests}}}[5s])) > 0'
        return self._measured(query).get(version, 0.0)

    def _measured(self, query: str) -> dict[str, float]:
        address = f"{self._prometheus}/api/v1/query"
        answer = urllib3.request("GET", address, fields={"query": query}).json()
        return {each["metric"]["version"]: float(each["value"][1]) for each in answer["data"]["result"]}
