"""Draws which folder imports which, for docs/architecture.md: `python -m tools.rooms` writes the picture anew.

`tests/unit/test_docs.py` compares the picture with the imports.
"""

from itertools import groupby
from pathlib import Path
from typing import Final

import grimp

PAGE: Final = Path(__file__).parent.parent / "docs" / "architecture.md"
BEGIN: Final = "```mermaid\n"
END: Final = "```\n"
ROOMS: Final = {
    "api": "HTTP",
    "jobs": "background jobs",
    "processes": "typed client of the workflows",
    "workflows": "durable processes",
    "activities": "their side effects",
    "services": "use cases",
    "bootstrap": "settings, ways to the servers",
    "store": "PostgreSQL",
    "connectors": "carriers, mail, webhooks",
    "dom": "pure core",
}
"""Every folder of the picture with what it is. `cli`, `worker.py` and `simulator` are described beside it."""

CALLED_BY_TEMPORAL: Final = frozenset({"workflows", "activities"})


def arrows() -> list[tuple[str, str]]:
    """Which folder imports which other one, each pair once, in the sequence of `ROOMS`."""
    graph = grimp.build_graph(*ROOMS)
    found = {
        (module.split(".")[0], imported.split(".")[0])
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    place = list(ROOMS).index
    return sorted(((a, b) for a, b in found if a != b), key=lambda pair: (place(pair[0]), place(pair[1])))


def picture() -> str:
    """The folders and their imports as a Mermaid flowchart.

    A dotted line leads to what is imported for its names and types, and called by Temporal. `dom`, which nearly all
    import, has a line only from those that import nothing else.
    """
    lines = ["flowchart TB"]
    lines += [f'    {name}["<b>{name}/</b><br>{what}"]' for name, what in ROOMS.items()]
    for importer, pairs in groupby(arrows(), key=lambda pair: pair[0]):
        imported = [name for _, name in pairs]
        drawn_to = [name for name in imported if name != "dom"] or imported
        for line, dotted in (("-->", False), ("-.->", True)):
            names = [name for name in drawn_to if (name in CALLED_BY_TEMPORAL) is dotted]
            if names:
                lines.append(f"    {importer} {line} {' & '.join(names)}")
    return "\n".join(lines) + "\n"


def drawn(page: str) -> str:
    """The page with the picture of the imports as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{picture()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
