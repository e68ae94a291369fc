"""Reads `go test -json` and prints what a reader needs: the output of tests that
failed or were skipped, their names, and last go test's own closing line of each
package. It exits with 1 where a test failed or was skipped: a skipped test
proves nothing, and a plain `go test` calls that "ok".

    go test -json ./... | python3 gotest.py
    python3 gotest.py --self-check
"""

import io
import json
import sys

# How go test's own lines at the end of a package begin.
CLOSING = ("ok  \t", "FAIL\t", "?   \t", "\t")


def filter_events(lines, out):
    """Prints the report on out and returns the exit code."""
    pending, failed, skipped, closing, passed = {}, [], [], [], 0

    def flush(package, test=None):
        """Prints what a test has said, or a package with all its tests."""
        for key in [k for k in pending if k[0] == package and test in (None, k[1])]:
            out.writelines(pending.pop(key))
        out.flush()

    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            out.write(line)  # something beside go test speaks
            continue
        action, test = event.get("Action"), event.get("Test")
        package = event.get("Package") or event.get("ImportPath") or ""
        if action in ("output", "build-output"):
            text = event.get("Output", "")
            if action == "output" and test is None and text.startswith(CLOSING):
                closing.append(text)
            else:
                pending.setdefault((package, test), []).append(text)
        elif action in ("fail", "build-fail"):
            failed.append(" ".join(filter(None, (package, test))))
            flush(package, test)
        elif action == "skip" and test is not None:  # else: a package without tests
            skipped.append(f"{package} {test}")
            flush(package, test)
        elif action == "pass":
            passed += test is not None
            pending.pop((package, test), None)
    for package in {k[0] for k in pending if k[1] is not None}:
        flush(package)  # go test itself has died
    for what, names in (("failed", failed), ("skipped", skipped)):
        out.writelines(f"{what}: {name}\n" for name in names)
    out.write(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped\n")
    out.writelines(closing)
    return 1 if failed or skipped or not passed else 0


def self_check():
    """A gate that lets everything through looks like one that works."""
    def run(*events):
        out = io.StringIO()
        return filter_events([json.dumps(e) for e in events], out), out.getvalue()

    def event(action, test=None, output=None):
        return {k: v for k, v in
                {"Action": action, "Package": "p", "Test": test, "Output": output}.items() if v}

    ok = (event("output", "TestA", "chatter\n"), event("pass", "TestA"),
          event("output", None, "PASS\n"), event("output", None, "ok  \tp\t1.2s\n"), event("pass"))
    code, text = run(*ok)
    assert code == 0 and text.endswith("ok  \tp\t1.2s\n") and "chatter" not in text, text
    code, text = run(event("output", "TestB/case", "needs a tool\n"), event("skip", "TestB/case"), *ok)
    assert code == 1 and "skipped: p TestB/case" in text and "needs a tool" in text, text
    code, text = run(event("output", "TestC", "got 1\n"), event("fail", "TestC"), *ok)
    assert code == 1 and "failed: p TestC" in text and "got 1" in text, text
    code, text = run(event("output", "TestD", "panic: x\n"), event("output", None, "FAIL\tp\t1.2s\n"), event("fail"))
    assert code == 1 and "panic: x" in text and text.endswith("FAIL\tp\t1.2s\n"), text
    code, text = run({"Action": "build-output", "ImportPath": "p", "Output": "p.go:1: broken\n"},
                     {"Action": "build-fail", "ImportPath": "p"}, *ok)
    assert code == 1 and "p.go:1: broken" in text, text
    code, _ = run(event("output", None, "?   \tp\t[no test files]\n"), event("skip"), *ok)
    assert code == 0
    code, _ = run()
    assert code == 1, "no tests at all"


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-check"]:
        self_check()
    else:
        sys.exit(filter_events(sys.stdin, sys.stdout))
