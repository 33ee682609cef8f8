"""From the runs to what is printed: medians with their range, the goals, the absolute values."""

from statistics import median

from measure import NOISY
from row import Best

# What a row without a floor tells of each server, with its heading and digits.
COLUMNS = {"burst": [("lost", "lost in a burst", 0)], "micro": [("ns", "ns", 1)],
           "memory": [("bytes", "bytes per connection", 0), ("threads", "threads", 0),
                      ("idle_cpu_ms", "CPU ms while idle", 1)],
           "behind": [("p50_us", "p50 us", 0), ("p99_us", "p99 us", 0), ("max_us", "most us", 0)]}


def spread(values):
    """Median, least and most; None without values."""
    return {"median": median(values), "min": min(values), "max": max(values)} if values else None


def ratios(of, runs, base):
    """The ratio of every round in which both ran."""
    return spread([run[of] / floor[of] for run, floor in zip(runs, base) if run and floor and floor.get(of)])


def best_of(contestants, results):
    """The contestant with the highest rate in the median; the first one when none has run."""
    def rate(contestant):
        rates = [run["rate"] for run in results[contestant.name] if run]
        return median(rates) if rates else 0

    return max(contestants, key=rate)


def waits(runs):
    """The waits of the clients of all rounds together: of one round's there are too few for a hundredth."""
    all_of_them = sorted(wait for run in runs for wait in run["waits_us"])
    if not all_of_them:
        return {}
    last = len(all_of_them) - 1
    of = {"p50_us": all_of_them[last // 2], "p99_us": all_of_them[round(last * 0.99)], "max_us": all_of_them[last]}
    return {key: spread([value]) for key, value in of.items()}


def absolute(row, runs):
    """What is told of a server that is compared with none."""
    if row.kind == "burst":
        return {"lost": spread([burst["lost"] for run in runs for burst in run])}
    if row.kind == "behind":
        return waits(runs)
    return {of: spread([run[of] for run in runs if of in run]) for of, _, _ in COLUMNS[row.kind]}


def compare(row, comparison, results):
    """One comparison of a row as plain values; the goals judge the median, for losses the worst."""
    runs = results[comparison.server.name]
    floor = comparison.floor
    entry = {"server": comparison.server.name, "floor": None}
    if row.kind == "client":
        base = results[floor.name]
        entry |= {"floor": floor.name, "rate": ratios("rate", runs, base), "cpu": ratios("cpu_us", runs, base)}
        entry |= {of: spread([run[of] for run in runs if run]) for of in ("bytes", "lost")}
    elif row.kind == "ratio":
        entry["best"] = isinstance(floor, Best)
        floor = best_of(floor.of, results) if isinstance(floor, Best) else floor
        base = results[floor.name]
        entry |= {"floor": floor.name, "rate": ratios("rate", runs, base), "cpu": ratios("cpu_us", runs, base)}
        entry["fast_p99"] = ratios("fast_p99_us", runs, base)
        entry |= {"p50": ratios("p50_us", runs, base), "p99": ratios("p99_us", runs, base)}
    else:
        entry |= absolute(row, [run for run in runs if run])
    entry["goals"] = [judged(goal, entry[goal.of]) for goal in comparison.goals if entry.get(goal.of)]
    return entry


def judged(goal, values):
    verdict = goal.verdict(values["max" if goal.of == "lost" else "median"])
    return {"of": goal.of, "reach": goal.reach, "aim": goal.aim, "verdict": verdict}


def summary(row, results, failures):
    comparisons = [compare(row, comparison, results) for comparison in row.comparisons]
    return {"about": row.about, "load": list(row.load), "comparisons": comparisons, "runs": results,
            "failures": failures}


def cell(value, digits=2):
    if value is None:
        return "-"
    low, middle, high = (f"{value[key]:.{digits}f}" for key in ("min", "median", "max"))
    return middle if low == high else f"{middle} [{low}-{high}]"


def goal_cell(entry):
    def text_of(goal):
        aim = "" if goal["aim"] is None else f", aim {goal['aim']:g}"
        return f"{goal['of']} {goal['reach']:g}{aim}: {goal['verdict']}"

    return "; ".join(text_of(goal) for goal in entry["goals"])


def table(head, rows):
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    lines = [[word.ljust(width) for word, width in zip(line, widths)] for line in [head, *rows]]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison_table(row, comparisons):
    if row.kind == "client":
        lines = [[e["server"], e["floor"], cell(e["rate"]), cell(e["cpu"]), goal_cell(e)] for e in comparisons]
        return table(["client", "against", "rate", f"cpu per {row.unit}", "goal"], lines)
    if row.kind != "ratio":
        told = [column for column in COLUMNS[row.kind] if any(entry.get(column[0]) for entry in comparisons)]
        lines = [[e["server"], *[cell(e.get(of), digits) for of, _, digits in told], goal_cell(e)] for e in comparisons]
        return table(["server", *[head for _, head, _ in told], "goal"], lines)
    mixed = any(entry["fast_p99"] for entry in comparisons)
    lines = [[e["server"], e["floor"] + " (the best)" * e["best"], cell(e["rate"]), cell(e["cpu"]),
              *[cell(e["fast_p99"])] * mixed, goal_cell(e)] for e in comparisons]
    return table(["server", "against", "rate", f"cpu per {row.unit}", *["fast p99"] * mixed, "goal"], lines)


def absolute_table(row, results):
    """What the ratios were made of; `others` is the share of a core that other processes took, at worst."""
    mixed = any(run and "fast_p99_us" in run for runs in results.values() for run in runs)
    numbers = ["p50_us", "p99_us", *["fast_p50_us", "fast_p99_us"] * mixed]
    lines = []
    for name, runs in results.items():
        runs = [run for run in runs if run]
        if runs:
            middle = {key: median(run[key] for run in runs) for key in ("rate", "cpu_us", *numbers)}
            lines.append([name, f"{middle['rate']:,.0f}", f"{middle['cpu_us']:.2f}",
                          *[f"{middle[key]:.0f}" for key in numbers], str(sum(run["errors"] for run in runs)),
                          f"{max(run['others'] for run in runs):.0%}"])
    heads = [key.replace("_us", " us").replace("_", " ") for key in numbers]
    return table(["server", "rate/s", f"cpu us per {row.unit}", *heads, "errors", "others"], lines)


def client_table(row, results):
    lines = []
    for name, runs in results.items():
        runs = [run for run in runs if run]
        if runs:
            middle = {key: median(run[key] for run in runs) for key in ("rate", "cpu_us", "bytes")}
            lines.append([name, f"{middle['rate']:,.0f}", f"{middle['cpu_us']:.2f}", f"{middle['bytes'] / 2**20:.1f}",
                          str(max(run["lost"] for run in runs))])
    return table(["client", "rate/s", f"cpu us per {row.unit}", "MiB", "lost"], lines)


def ratio_notes(results):
    """What would make a ratio untrue: a disturbed load arrives in larger batches, which favours some servers."""
    worst = max((run["others"] for runs in results.values() for run in runs if run), default=0)
    errors = sum(run["errors"] for runs in results.values() for run in runs if run)
    undone = sum(run["undone"] for runs in results.values() for run in runs if run)
    return ([f"others took up to {worst:.0%} of a core: measure again when the machine is quiet"] * (worst > NOISY)
            + [f"{errors} errors"] * (errors > 0)
            + [f"{undone} requests were never answered"] * (undone > 0))


def behind_notes(results):
    return [f"{name}: {errors} clients were not answered" for name, runs in results.items()
            if (errors := sum(run["errors"] for run in runs if run))]


def burst_notes(results):
    """What would make a number of lost datagrams untrue."""
    bursts = [(name, burst) for name, runs in results.items() for run in runs if run for burst in run]
    return [f"{name}: {burst['dropped_here']} dropped by the client, {burst['twice']} twice, {burst['errors']} bad"
            for name, burst in bursts if burst["dropped_here"] or burst["twice"] or burst["errors"]]


def text(row, entry):
    parts = [f"## {row.name}: {row.about}", comparison_table(row, entry["comparisons"])]
    if row.kind == "ratio":
        parts.append("Medians of the runs themselves:\n" + absolute_table(row, entry["runs"]))
    if row.kind == "client":
        parts.append("Medians of the runs themselves:\n" + client_table(row, entry["runs"]))
    notes_of = {"ratio": ratio_notes, "burst": burst_notes, "behind": behind_notes}.get(row.kind, lambda _: [])
    parts += [f"! {note}" for note in notes_of(entry["runs"]) + entry["failures"]]
    return "\n\n".join(parts) + "\n"
