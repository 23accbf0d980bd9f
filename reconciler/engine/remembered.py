"""The ledger as an Application's status shows it; and the memory of last resort where Git may not be written."""

from __future__ import annotations

from typing import Any

from reconciler.model.application_status import ApplicationStatus, PromotedRevision, VetoEntry
from reconciler.model.ledger import Ledger, Promoted, Veto


def shown(ledger: Ledger) -> dict[str, Any]:
    """The fields `promoted` and `vetoes` of a status."""
    found = ledger.promoted
    return {
        "promoted": None
        if found is None
        else PromotedRevision(
            revision=found.commit, templates=dict(found.templates), at=found.at, earlier=ledger.earlier
        ),
        "vetoes": tuple(
            VetoEntry(
                template=veto.template,
                images=veto.images,
                revision=veto.commit,
                why=veto.why,
                by=veto.by,
                at=veto.at,
            )
            for veto in ledger.vetoes
        ),
    }


def remembered(status: ApplicationStatus) -> Ledger:
    """What an earlier run saw; Git's own ledger goes before it wherever there is one."""
    found = status.promoted
    promoted = None if found is None else Promoted(found.revision, dict(found.templates), found.at)
    vetoes = tuple(
        Veto(entry.template, entry.images, entry.revision, entry.why, entry.by, entry.at) for entry in status.vetoes
    )
    return Ledger(promoted, vetoes, found.earlier if found is not None else ())
