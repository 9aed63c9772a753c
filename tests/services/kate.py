"""Kate from Debian's packages; Qt draws it into memory, so it needs no display."""

from pathlib import Path

from tests.services import packages


def kate() -> tuple[str, dict[str, str]]:
    """The program and its variables; `Unavailable` where the packages cannot be had."""
    root, program = packages.find("usr/bin/kate", "kate")
    variables = {**packages.environment(root), "QT_QPA_PLATFORM": "offscreen"}
    if root != Path("/"):
        (plugins,) = root.glob("usr/lib/*-linux-*/qt5/plugins")
        data = f"{root / 'usr/share'}:/usr/local/share:/usr/share"
        variables |= {"QT_PLUGIN_PATH": str(plugins), "XDG_DATA_DIRS": data}
    return str(program), variables
