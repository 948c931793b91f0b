"""What the documents point to is there: files, headings in them, and the commands they show."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bitswap_cli.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/*.md", "models/zoo/*/card.md", "tests/*/README.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"\b(?:bitswap_cli|models|tests|benchmarks|docs)/[\w./-]+\.(?:py|c|h|md|toml)\b")
MODULE = re.compile(r"python -m (benchmarks(?:\.\w+)+)")
COMMAND = re.compile(r"(?:^|[;&|] *)bitswap((?: [^\s|;&]+)+)")
HISTORY = {Path("CHANGES.md"), Path("docs/history.md")}  # names what was there once


def prose(document: Path) -> str:
    """The text of a document without code that is set off, in which no link is one."""
    lines = (ROOT / document).read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("    "))


def anchors(document: Path) -> Iterator[str]:
    """The names by which the headings of a document can be reached, as GitHub makes them."""
    for heading in re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def commands(document: Path) -> Iterator[list[str]]:
    """The words after `bitswap` where it is called: in code that is set off, or in backticks."""
    text = (ROOT / document).read_text()
    for lines in re.findall(r"^    (.+)$|`([^`]+)`", text, re.MULTILINE):
        code = " ".join("".join(lines).split(" # ")[0].split())
        yield from (call.split() for call in COMMAND.findall(code))


def test_there_are_documents() -> None:
    assert Path("README.md") in DOCUMENTS and len(DOCUMENTS) > 10


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(prose(document)):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / document.parent / name).resolve() if name else ROOT / document
        assert path.is_relative_to(ROOT) and path.exists(), f"{document}: {target} is not there"
        if anchor:
            there = path.relative_to(ROOT)
            assert anchor in set(anchors(there)), f"{document}: no heading for {target}"


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d not in HISTORY], ids=str)
def test_files_that_are_named_are_there(document: Path) -> None:
    text = (ROOT / document).read_text()
    modules = [name.replace(".", "/") for name in MODULE.findall(text)]
    missing = [name for name in NAMED.findall(text) if not (ROOT / name).is_file()]
    missing += [m for m in modules if not list(ROOT.glob(f"{m}.py")) + list(ROOT.glob(f"{m}/"))]
    missing = [name for name in missing if "NAME" not in name]
    assert not missing, f"{document} names {missing}"


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d not in HISTORY], ids=str)
def test_commands_are_those_of_the_program(document: Path) -> None:
    for words in commands(document):
        command: click.Command = cli
        context = click.Context(command, help_option_names=["-h", "--help"])
        options: set[str] = set()
        for number, word in enumerate(words):
            options |= {name for one in command.get_params(context) for name in one.opts}
            if word.startswith("-"):
                assert word in options, f"{document}: bitswap {' '.join(words)}: {word}"
            elif isinstance(command, click.Group):
                found = command.get_command(context, word)
                assert found, f"{document}: bitswap {' '.join(words[: number + 1])}"
                command, context = found, click.Context(found, parent=context)
