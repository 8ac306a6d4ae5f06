"""Start a run: `python trigger.py --help` lists the ways."""

from {{ cookiecutter.package_name }}.cli.command import main

if __name__ == "__main__":
    raise SystemExit(main())
