import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pandas
import pytest

from osiris_lsp.connectors import atomic_write, ensure_directory, write_csv_deterministic


@pytest.mark.inventory("S2-FS-01")
def test_a_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    """A second call changes nothing; both return the folder as a Path."""
    wanted = tmp_path / "a" / "b"
    assert [ensure_directory(str(wanted)), ensure_directory(wanted)] == [wanted, wanted]
    assert wanted.is_dir()


@pytest.mark.inventory("S2-FS-01")
def test_a_file_is_in_the_way_of_a_folder(tmp_path: Path) -> None:
    """A file of that name, or above it, is an error and stays as it is."""
    file = tmp_path / "taken"
    file.write_text("x")
    with pytest.raises(FileExistsError):
        ensure_directory(file)
    with pytest.raises(NotADirectoryError):
        ensure_directory(file / "below")
    assert file.read_text() == "x"


_AS_NOBODY = """
import os, sys
from osiris_lsp.connectors import ensure_directory
if os.geteuid() == 0:
    os.setuid(65534)
try:
    ensure_directory(sys.argv[1] + "/sub")
except PermissionError as error:
    print(type(error).__name__)
"""


@pytest.mark.inventory("S2-FS-01")
def test_a_folder_that_may_not_be_made(tmp_path: Path) -> None:
    """A folder without the right to write gives PermissionError, to a user that is not root."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, str(closed)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("PermissionError\n", "")


@pytest.mark.inventory("S2-FS-02")
def test_a_file_is_replaced(tmp_path: Path) -> None:
    """The content is new, the permissions are the old ones, and nothing else is left."""
    file = tmp_path / "a.csv"
    atomic_write(file, b"one")
    file.chmod(0o600)
    atomic_write(str(file), b"two")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"two", 0o600)
    assert os.listdir(tmp_path) == ["a.csv"]


@pytest.mark.inventory("S2-FS-02")
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The error comes out as it is, the file is as it was, and the temporary one is gone."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="no space left"):
        atomic_write(file, b"new")
    assert (file.read_bytes(), os.listdir(tmp_path)) == (b"old", ["a.csv"])


@pytest.mark.inventory("S2-FS-02")
def test_names_that_differ_in_their_end_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`a.csv` and `a.json` have temporary files of their own, in the same folder (R-43)."""
    moved: list[tuple[Path, Path]] = []
    replace = os.replace

    def noted(source: str, target: str) -> None:
        moved.append((Path(source), Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", noted)
    for name in ("a.csv", "a.json", "a.csv"):
        atomic_write(tmp_path / name, name.encode())
    assert len({source for source, _ in moved}) == 3
    assert {source.parent for source, _ in moved} == {tmp_path}


@pytest.mark.inventory("S2-FS-02")
def test_writers_beside_each_other(tmp_path: Path) -> None:
    """Whoever reads sees the whole text of one of them, and none fails."""
    texts = [bytes([letter]) * 100_000 for letter in b"abcd"]
    files = [tmp_path / "a.csv", tmp_path / "a.json"]
    for file in files:
        atomic_write(file, texts[0])
    seen: set[bytes] = set()
    errors: list[BaseException] = []

    def write(text: bytes) -> None:
        try:
            for _ in range(10):
                for file in files:
                    atomic_write(file, text)
                    seen.add(file.read_bytes())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert seen <= set(texts)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.json"]


def table() -> pandas.DataFrame:
    """Three columns, one of them of times."""
    times = pandas.to_datetime(["2026-01-02 03:04:05", "2026-01-03 00:00:00"])
    return pandas.DataFrame({"when": times, "Name": ["ä", "b,c"], "id": [1, 2]})


@pytest.mark.inventory("S2-FS-03", "S2-FS-04")
def test_the_same_bytes_for_any_order_of_columns(tmp_path: Path) -> None:
    """Columns by name, no index, UTF-8, line feeds and times to the second."""
    found = set()
    for number, columns in enumerate((["when", "Name", "id"], ["id", "when", "Name"])):
        path = tmp_path / f"{number}.csv"
        write_csv_deterministic(table()[columns], path)
        found.add(path.read_bytes())
    expected = 'Name,id,when\nä,1,2026-01-02 03:04:05\n"b,c",2,2026-01-03 00:00:00\n'
    assert {expected.encode()} == found


@pytest.mark.inventory("S2-FS-04")
def test_options_of_the_caller_win(tmp_path: Path) -> None:
    """Each default can be another, and options that have none are passed on."""
    path = tmp_path / "a.csv"
    options = {"index": True, "encoding": "latin-1", "lineterminator": "\r\n", "sep": ";"}
    write_csv_deterministic(table(), path, date_format="%d.%m.%Y", **options)
    expected = ";Name;id;when\r\n0;ä;1;02.01.2026\r\n1;b,c;2;03.01.2026\r\n"
    assert expected.encode("latin-1") == path.read_bytes()


@pytest.mark.inventory("S2-FS-03")
def test_two_columns_of_one_name(tmp_path: Path) -> None:
    """Both are written once, in their order."""
    path = tmp_path / "a.csv"
    write_csv_deterministic(pandas.DataFrame([[1, 2, 3]], columns=["b", "a", "b"]), path)
    assert path.read_text() == "a,b,b\n2,1,3\n"
