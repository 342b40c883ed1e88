"""Runs the shell steps of action.yml as a runner would, with a stand-in for `cargo install`."""

import os
import pathlib
import re
import subprocess
import sys

import yaml  # comes with pre-commit

action, service, work = (pathlib.Path(arg) for arg in sys.argv[1:])
document = yaml.safe_load(action.read_text())
temp = work / "runner"
stand_in = work / "stand-in"
stand_in.mkdir()
(stand_in / "cargo").write_text(f'#!/bin/sh\necho "$@" >> {work}/installed\n')
(stand_in / "cargo").chmod(0o755)


def holds(condition, inputs):
    """The conditions that the action uses: `always()` and comparisons of inputs, joined by `&&`."""
    for part in (condition or "always()").split(" && "):
        match = re.fullmatch(r"inputs\.([\w-]+) (==|!=) '([^']*)'", part)
        if match:
            name, sign, value = match.groups()
            if (inputs[name] == value) != (sign == "=="):
                return False
        elif part != "always()":
            sys.exit(f"action: unknown condition {part}")
    return True


def run(**given):
    """Exit code of the job, standard output of the steps, and what was uploaded."""
    inputs = {name: spec.get("default", "") for name, spec in document["inputs"].items()}
    unknown = set(given) - {name.replace("-", "_") for name in inputs}
    assert not unknown, unknown
    inputs.update({name.replace("_", "-"): value for name, value in given.items()})
    temp.mkdir(exist_ok=True)
    summary = temp / "summary"
    summary.write_text("")
    failed, output, uploaded = 0, "", None
    fill = lambda text: re.sub(
        r"\$\{\{ (inputs|github)\.([\w-]+) \}\}",
        lambda m: inputs[m[2]] if m[1] == "inputs" else str(action.parent),
        text,
    )
    for step in document["runs"]["steps"]:
        if (failed and "always()" not in step.get("if", "")) or not holds(step.get("if"), inputs):
            continue
        if "uses" in step:
            uploaded = fill(step["with"]["sarif_file"])
            continue
        env = {name: fill(value) for name, value in step.get("env", {}).items()}
        env = {**os.environ, **env, "RUNNER_TEMP": str(temp), "GITHUB_STEP_SUMMARY": str(summary)}
        env["PATH"] = f"{stand_in}:{env['PATH']}"
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(command, cwd=service, env=env, text=True, capture_output=True)
        output += done.stdout + done.stderr
        failed = failed or done.returncode
    return failed, output, summary.read_text(), uploaded


code, output, summary, uploaded = run()
assert code == 1, (code, output)
assert "::error file=src/main.rs,line=" in output, output
assert "### Stateless-design review" in summary, summary
assert uploaded is None
assert "install --locked --path" in (work / "installed").read_text()

code, output, summary, uploaded = run(sarif="out.sarif", since="HEAD", fail_on="error", version="0.1.0", args="--color never -q")
assert code == 1 and uploaded == "out.sarif", (code, output)
assert '"2.1.0"' in (service / "out.sarif").read_text()
assert "LAST" in summary and "codes" not in summary, summary
assert "--version 0.1.0" in (work / "installed").read_text()

code, output, _, _ = run(args="--exit-zero")
assert code == 0, output
code, output, _, _ = run(since="no-such-branch")
assert code == 2 and "has no revision" in output, output
code, output, _, _ = run(path="$(touch injected); ;")
assert code == 2 and not (service / "injected").exists(), output
