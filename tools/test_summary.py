#!/usr/bin/env python3
"""Counts test cases in the reports of scripts/test and prints "N passed, N failed[, N skipped]"; exits 1 unless all is well. Programs that were skipped
are named, and cases of pytest."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree


def count_cases(report):
    """passed, failed, skipped of one GoogleTest report, and the names of failed cases."""
    passed, failed, skipped = 0, [], 0
    for suite in report["testsuites"]:
        for case in suite["testsuite"]:
            if case.get("failures"):
                failed.append(f'{suite["name"]}.{case["name"]}')
            elif case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN":
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def count_pytest(report):
    """passed, failed, skipped of pytest's report, the latter two by name."""
    cases = {"passed": [], "failed": [], "skipped": []}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        outcome = {"failure": "failed", "error": "failed", "skipped": "skipped"}
        kinds = [outcome[child.tag] for child in case if child.tag in outcome]
        cases[kinds[0] if kinds else "passed"].append(f'{case.get("classname")}.{case.get("name")}')
    return len(cases["passed"]), cases["failed"], cases["skipped"]


def count_folder(folder):
    """The same over one build: each program's cases, or the program itself where it reports none. Also names of what was skipped."""
    passed, failed, skipped, named = 0, [], 0, []
    junit = folder / "ctest.xml"
    if not junit.exists():
        return 0, [f"{folder}: ctest wrote no report"], 0, []
    for test in ElementTree.parse(junit).getroot().iter("testcase"):
        name, status = test.get("name"), test.get("status")
        report = folder / f"{name}_test.json"
        cases = count_cases(json.loads(report.read_text())) if report.exists() else None
        if report.with_suffix(".xml").exists():
            *counted, names = count_pytest(report.with_suffix(".xml"))
            cases = (*counted, len(names))
            named += names
        if cases:
            passed, failed, skipped = passed + cases[0], failed + cases[1], skipped + cases[2]
        elif status == "run":
            passed += 1
        elif status in ("notrun", "disabled"):
            skipped += 1
            named.append(name)
        if status == "fail" and not (cases and cases[1]):
            failed.append(f"{name} (ended abnormally)" if cases else name)
    return passed, failed, skipped, named


def main(folders):
    passed, failed, skipped, named = 0, [], 0, []
    for folder in folders:
        p, f, s, n = count_folder(Path(folder))
        passed, failed, skipped, named = passed + p, failed + f, skipped + s, named + n
    for name in named:
        print("SKIPPED", name)
    for name in failed:
        print("FAILED", name)
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
