"""What a scrape of /metrics shows, and which metrics an expression names."""

import re
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

NAME = re.compile(r"\b(?:vs|vapi)_[a-z0-9_]+")
MATCHER = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\bby\s*\(([^)]*)\)")
OF_HISTOGRAM = ("_bucket", "_sum", "_count")


@dataclass(frozen=True)
class Scrape:
    """families: the type of each by its name. samples: by `name{label="value",...}`, in the
    alphabetical order of the labels."""

    families: dict[str, str]
    samples: dict[str, float]
    labels: dict[str, set[str]] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> "Scrape":
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        samples: dict[str, float] = {}
        labels: dict[str, set[str]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                shown = ",".join(
                    f'{name}="{value}"' for name, value in sorted(sample.labels.items())
                )
                samples[f"{sample.name}{{{shown}}}"] = sample.value
                labels.setdefault(sample.name, set()).update(sample.labels)
        return cls(types, samples, labels)

    def has(self, name: str) -> bool:
        """name: as an expression has it, such as "vapi_webhook_seconds_bucket"."""
        if name in self.families:
            return self.families[name] != "histogram"
        family = next((name.removesuffix(end) for end in OF_HISTOGRAM if name.endswith(end)), "")
        return self.families.get(family) == "histogram"

    def of(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            value
            for sample, value in self.samples.items()
            if sample.startswith(f"{name}{{") and all(item in sample for item in wanted)
        )


def metrics_in(expression: str) -> set[str]:
    return set(NAME.findall(expression))


def labels_in(expression: str) -> set[str]:
    """Those that it compares or groups by."""
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",")}
    return grouped | set(MATCHER.findall(expression))
