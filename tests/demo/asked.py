"""Every sample of the page, as it is asked."""

from onepass.demo.form import (
    Asked,
    entity_part,
    one_structure,
    one_task,
    read_threshold,
    relation_part,
    structure_parts,
    task_parts,
)
from onepass.demo.samples import COMPOSED, ENTITIES, STRUCTURES, TASKS


def samples() -> dict[str, Asked]:
    """Return the samples of all tabs by name."""
    asked = {}
    for name, e in ENTITIES.items():
        asked[name] = Asked(
            e.text, (entity_part(e.labels),), read_threshold(e.threshold), e.overlap
        )
    for name, t in TASKS.items():
        task = one_task(t.name, t.labels, several=t.several, none=t.none)
        asked[name] = Asked(t.text, (task,), read_threshold(t.threshold))
    for name, s in STRUCTURES.items():
        structure = one_structure(s.name, s.fields)
        asked[name] = Asked(s.text, (structure,), read_threshold(s.threshold))
    for name, c in COMPOSED.items():
        parts = (
            entity_part(c.labels),
            *task_parts(c.tasks),
            *structure_parts(c.structures),
            relation_part(c.relations),
        )
        asked[name] = Asked(c.text, parts, read_threshold(c.threshold), c.overlap)
    return asked
