"""Run the three."""

from __future__ import annotations

from examples.needs_a_person import computed_name, options_from_elsewhere, whole_result


def main() -> None:
    print(computed_name.measure())
    print(options_from_elsewhere.measure())
    print(whole_result.measure())


if __name__ == "__main__":
    main()
