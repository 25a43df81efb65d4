"""Scripts: Python without a suffix is rewritten; shell, make and container files are told of, as they run what is deleted."""

from __future__ import annotations

import pytest

from .conftest import Workbench, dedent

PYTHON = """\
#!/usr/bin/env python3
from old_losses.triplet import TripletLoss

criterion = TripletLoss(T=0.1)
print(criterion(1, 2)["recalls"]["r@1"])
"""

NAMES = {
    "train.sh": ("set -e\npython -m old_losses.triplet --epochs 3\n", 2),
    "jobs/train.sbatch": ("#SBATCH -n 1\nsrun python old_losses/triplet.py\n", 2),
    "Makefile": ("loss:\n\t$(PYTHON) $(ROOT)/old_losses/triplet.py\n", 2),
    "check.bash": ("python -c 'from old_losses.triplet import TripletLoss; TripletLoss()'\n", 1),
    "here.sh": ("python - <<END\nfrom old_losses import plain, triplet\nEND\n", 2),
    "Dockerfile": ('FROM python:3.11\nCMD ["python", "-m", "old_losses.triplet"]\n', 2),
    "docker/Dockerfile.gpu": ("FROM python:3.11\nRUN python old_losses/triplet.py\n", 2),
    "train.gin": ("train.lr = 0.1\ntrain.criterion = @TripletLoss()\n", 2),
    "train.jsonnet": ("local lr = 0.1;\n{ loss: { type: 'old_losses.triplet.TripletLoss' } }\n", 2),
    "bin/nightly": ("#!/bin/sh\nexec python -m old_losses.triplet\n", 2),
    "run.bat": ('@echo off\r\npython -c "import old_losses.triplet"\r\n', 2),
    ".github/workflows/train.yml": ("jobs:\n  train:\n    steps:\n      - run: python -m old_losses.triplet\n", 4),
    "ci.yaml": ("script:\n  - cd src && python3 -u old_losses/triplet.py --fast\n", 2),
}

SILENT = {
    "train.sh": "# python -m old_losses.triplet\npython train.py --loss triplet\n",
    "Makefile": "triplet:\n\tpython train.py old_losses/other.py\n",
    "notes.yml": "lint:\n  exclude: old_losses/triplet.py\n",
    "train.gin": "train.criterion = 'triplet'\n",
    "CODEOWNERS": "old_losses/triplet.py @team\n",
    ".gitattributes": "old_losses/triplet.py text\n",
    "LICENSE": "The triplet of old_losses.\n",
    "bin/tool": "#!/bin/sh\necho plain triplet\n",
}


def test_python_without_a_suffix_is_rewritten(bench: Workbench) -> None:
    bench.write({"bin/train": PYTHON})
    bench.apply(bench.plan())
    assert bench.read("bin/train") == dedent(
        """
        #!/usr/bin/env python3
        from new_losses import Triplet

        criterion = Triplet(temperature=0.1, margin=0.2)
        print(criterion(1, 2)["r@1"].item())
        """
    )


def test_what_such_a_script_hands_on_is_followed(bench: Workbench) -> None:
    helper = "from old_losses.triplet import TripletLoss\n\n\ndef build():\n    return TripletLoss()\n"
    bench.write(
        {"helper.py": helper, "bin/train": '#!/usr/bin/python\nfrom helper import build\n\nprint(build()(1, 2)["accuracy"])\n'}
    )
    bench.apply(bench.plan())
    assert bench.read("bin/train").endswith('print(build()(1, 2)["accuracy"].item())\n')


@pytest.mark.parametrize("name", NAMES)
def test_other_scripts_that_name_something_legacy_need_a_person(bench: Workbench, name: str) -> None:
    text, line = NAMES[name]
    bench.write({name: text.encode()})
    plan = bench.plan()
    assert [(refusal.path, refusal.line) for refusal in plan.refusals] == [(name, line)]
    assert "old_losses." in plan.refusals[0].reason
    assert plan.refusals[0].code == text.splitlines()[line - 1].strip()
    assert not plan.files


@pytest.mark.parametrize("name", SILENT)
def test_words_comments_and_other_files_are_no_places(bench: Workbench, name: str) -> None:
    bench.write({name: SILENT[name]})
    plan = bench.plan()
    assert not plan.refusals
    assert not plan.files


def test_a_place_in_a_script_can_be_acknowledged(bench: Workbench) -> None:
    allowed = "acknowledged=(acknowledge('*.sh', 'git log', reason='history stays'),)"
    port = bench.read("ports/plain.py").replace("import Port", "import Port, acknowledge")
    bench.write({"ports/plain.py": port.replace('new="new_losses.Plain"', f'new="new_losses.Plain", {allowed}')})
    bench.write({"log.sh": "git log old_losses/plain.py\n"})
    assert not bench.plan().refusals
    bench.write({"log.sh": "cat old_losses/plain.py\n"})
    assert bench.plan().refusals
