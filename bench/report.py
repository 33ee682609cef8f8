"""From the runs to what is printed: medians with their range, the goals, the absolute values."""

from statistics import median

from measure import NOISY


def spread(values):
    """Median, least and most; None without values."""
    return {"median": median(values), "min": min(values), "max": max(values)} if values else None


def ratios(of, runs, base):
    """The ratio of every round in which both ran."""
    return spread([run[of] / floor[of] for run, floor in zip(runs, base) if run and floor and floor[of]])


def compare(row, comparison, results):
    """One comparison of a row as plain values; the goal judges the median, for losses the worst."""
    runs = results[comparison.server.name]
    entry = {"server": comparison.server.name, "floor": comparison.floor.name if comparison.floor else None}
    if row.kind == "ratio":
        base = results[comparison.floor.name]
        entry |= {"rate": ratios("rate", runs, base), "cpu": ratios("cpu_us", runs, base)}
    elif row.kind == "burst":
        entry["lost"] = spread([burst["lost"] for run in runs if run for burst in run])
    else:
        entry["bytes"] = spread([run["bytes"] for run in runs if run])
    goal = comparison.goal
    if goal and entry[goal.of]:
        value = entry[goal.of]["max" if goal.of == "lost" else "median"]
        entry["goal"] = {"of": goal.of, "reach": goal.reach, "aim": goal.aim, "verdict": goal.verdict(value)}
    return entry


def summary(row, results, failures):
    comparisons = [compare(row, comparison, results) for comparison in row.comparisons]
    return {"about": row.about, "load": list(row.load), "comparisons": comparisons, "runs": results,
            "failures": failures}


def cell(value, digits=2):
    if value is None:
        return "-"
    low, middle, high = (f"{value[key]:.{digits}f}" for key in ("min", "median", "max"))
    return f"{middle} [{low}-{high}]"


def goal_cell(entry):
    goal = entry.get("goal")
    return f"{goal['of']} {goal['reach']:g}, aim {goal['aim']:g}: {goal['verdict']}" if goal else ""


def table(head, rows):
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    lines = [[word.ljust(width) for word, width in zip(line, widths)] for line in [head, *rows]]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def comparison_table(row, comparisons):
    if row.kind == "ratio":
        return table(["server", "against", "rate", f"cpu per {row.unit}", "goal"], [
            [e["server"], e["floor"], cell(e["rate"]), cell(e["cpu"]), goal_cell(e)] for e in comparisons])
    of, head = ("lost", "lost in a burst") if row.kind == "burst" else ("bytes", "bytes per connection")
    return table(["server", head, "goal"], [[e["server"], cell(e[of], 0), goal_cell(e)] for e in comparisons])


def absolute_table(row, results):
    """What the ratios were made of; `others` is the share of a core that other processes took, at worst."""
    lines = []
    for name, runs in results.items():
        runs = [run for run in runs if run]
        if runs:
            middle = {key: median(run[key] for run in runs) for key in ("rate", "cpu_us", "p50_us", "p99_us")}
            lines.append([name, f"{middle['rate']:,.0f}", f"{middle['cpu_us']:.2f}", f"{middle['p50_us']:.0f}",
                          f"{middle['p99_us']:.0f}", str(sum(run["errors"] for run in runs)),
                          f"{max(run['others'] for run in runs):.0%}"])
    head = ["server", "rate/s", f"cpu us per {row.unit}", "p50 us", "p99 us", "errors", "others"]
    return table(head, lines)


def ratio_notes(results):
    """What would make a ratio untrue: a disturbed load arrives in larger batches, which favours some servers."""
    worst = max((run["others"] for runs in results.values() for run in runs if run), default=0)
    errors = sum(run["errors"] for runs in results.values() for run in runs if run)
    return ([f"others took up to {worst:.0%} of a core: measure again when the machine is quiet"] * (worst > NOISY)
            + [f"{errors} errors"] * (errors > 0))


def burst_notes(results):
    """What would make a number of lost datagrams untrue."""
    bursts = [(name, burst) for name, runs in results.items() for run in runs if run for burst in run]
    return [f"{name}: {burst['dropped_here']} dropped by the client, {burst['twice']} twice, {burst['errors']} bad"
            for name, burst in bursts if burst["dropped_here"] or burst["twice"] or burst["errors"]]


def text(row, entry):
    parts = [f"## {row.name}: {row.about}", comparison_table(row, entry["comparisons"])]
    if row.kind == "ratio":
        parts.append("Medians of the runs themselves:\n" + absolute_table(row, entry["runs"]))
    notes_of = {"ratio": ratio_notes, "burst": burst_notes}.get(row.kind, lambda _: [])
    parts += [f"! {note}" for note in notes_of(entry["runs"]) + entry["failures"]]
    return "\n\n".join(parts) + "\n"
