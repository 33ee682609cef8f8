"""What a row of the table is: contestants, what is compared with what, and what is to be reached."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Floor:
    """A bare loop, by the name of its source in bench/floor."""

    program: str
    transport: str
    label: str = ""
    serves_files = False

    @property
    def probe(self) -> str:
        return self.transport

    @property
    def name(self) -> str:
        return self.label or self.program


@dataclass(frozen=True)
class FilePeer:
    """A server of files that others made, from Debian. In its arguments {port} and {files} stand for what it is given."""

    program: str
    arguments: tuple
    transport: str
    port: int = 0  # the only one that it can serve; 0: any
    label: str = ""
    serves_files = True
    probe = "tftp"

    @property
    def name(self) -> str:
        return self.label or self.program


@dataclass(frozen=True)
class Superd:
    """superd with one service. `settings` go into the configuration as they are; without any, its defaults serve."""

    handler: str
    transport: str
    settings: tuple = ()
    label: str = ""
    program: str = ""  # one of bench/program, instead of a handler

    @property
    def serves_files(self) -> bool:
        return "files" in dict(self.settings)

    @property
    def probe(self) -> str:
        """What a server is asked to see that it serves: "tcp", "udp", or the service."""
        return self.handler if self.serves_files else self.transport

    @property
    def name(self) -> str:
        if self.label:
            return f"superd {self.label}"
        settings = dict(self.settings)
        words = [str(settings[key]) for key in ("design", "engine") if key in settings]
        return "superd " + ("/".join(words) or "default")

    def configuration(self, port: int, programs: Path) -> str:
        served = f'program = ["{programs / self.program}"]' if self.program else f'handler = "{self.handler}"'
        lines = [f"[service.{self.handler}]", f'listen = ["{self.transport}/127.0.0.1:{port}"]', served]
        for key, value in self.settings:
            lines.append(f"{key} = {value}" if isinstance(value, int) else f'{key} = "{value}"')
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Peer:
    """Somebody else's server: its command line and its configuration, in which {port}, {program} and {file}, the
    configuration's own path, stand for what is chosen when it starts."""

    name: str
    transport: str
    words: tuple
    configuration: str = ""
    program: str = "answer"
    serves_files = False

    @property
    def probe(self) -> str:
        return self.transport

    def command(self, port: int, program: Path, file: Path) -> list:
        given = {"port": port, "program": program, "file": file}
        file.write_text(self.configuration.format(**given))
        return [word.format(**given) for word in self.words]


@dataclass(frozen=True)
class Micro:
    """A program of bench/micro that times a piece of superd, or the least that could do the same, by itself."""

    program: str
    what: str

    @property
    def name(self) -> str:
        return f"{self.program} {self.what}"


@dataclass(frozen=True)
class Client:
    """A program that does its work and ends. In its command line {build} stands for the folder of what was built; `counts`
    finds in what it says how much it has done."""

    name: str
    words: tuple
    counts: str


@dataclass(frozen=True)
class Best:
    """Whichever of these has the highest rate, in the median of all rounds."""

    of: tuple

    name = "the best"


@dataclass(frozen=True)
class Goal:
    """What is to be reached now, and what is aimed at, if more. Only a higher `rate` is better; of all else, less."""

    of: str
    reach: float
    aim: float | None = None

    def verdict(self, value: float) -> str:
        def met(limit: float) -> bool:
            return value >= limit if self.of == "rate" else value <= limit

        return "aim" if self.aim is not None and met(self.aim) else "reach" if met(self.reach) else "missed"


@dataclass(frozen=True)
class Comparison:
    """`server` against `floor`; without a floor the goals are absolute numbers."""

    server: Floor | Superd | Micro | Peer | FilePeer | Client
    floor: Floor | Superd | Peer | FilePeer | Client | Best | None = None
    goals: tuple = ()


@dataclass(frozen=True)
class Row:
    name: str
    about: str
    load: tuple
    comparisons: tuple
    kind: str = "ratio"  # or "burst", "memory", "behind", "micro", "client"
    unit: str = "message"
    pinned: bool = True
    extra: bool = False  # only run when named, itself or its group
    group: str = ""
    warmup: float = 0.15  # seconds before each part of a round; a design that adapts needs some
    watched: float = 0  # seconds for which the CPU time of a server with idle connections is read

    def contestants(self) -> list:
        """Floors first, each once, in the order in which they are named."""
        floors = []
        for comparison in self.comparisons:
            floors += comparison.floor.of if isinstance(comparison.floor, Best) else [comparison.floor]
        return list(dict.fromkeys([f for f in floors if f] + [c.server for c in self.comparisons]))
