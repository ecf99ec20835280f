"""The hindsight bound of the horizon experiment: the linear program of Jasin and Sinha over what was really ordered."""

import highspy
import numpy as np

from bench.ofl.horizon_world import CENTRES, FREIGHT, ITEMS, Season


def hindsight(season: Season) -> float:
    """The least cost in cents, where every order is known beforehand and may be parted into fractions.

    `u` is how often an item of a class comes from a centre (or stays unfilled), `y` how often the centre ships: at
    least as often as it gives any of the items.
    """
    stock_rows = len(CENTRES) * ITEMS
    lower, upper = [-np.inf] * stock_rows, [float(units) for units in season.stock.ravel()]
    costs: list[float] = []
    starts: list[int] = []
    index: list[int] = []
    value: list[float] = []
    fixed = np.vstack([FREIGHT.fixed, FREIGHT.penalty_fixed])
    unit = np.vstack([FREIGHT.unit[:, 0, :], FREIGHT.penalty[0]])
    for basket, count in zip(season.baskets, season.counted().tolist(), strict=True):
        wanted = len(lower)
        lower += [count] * len(basket.lines)
        upper += [count] * len(basket.lines)
        for node in range(len(CENTRES) + 1):
            used = len(lower)
            lower += [-np.inf] * len(basket.lines)
            upper += [0.0] * len(basket.lines)
            for line, (item, _) in enumerate(basket.lines):
                starts.append(len(index))
                costs.append(float(unit[node, basket.region]))
                rows = [wanted + line, used + line] + ([node * ITEMS + item] if node < len(CENTRES) else [])
                index += rows
                value += [1.0] * len(rows)
            starts.append(len(index))
            costs.append(float(fixed[node, basket.region]))
            index += range(used, used + len(basket.lines))
            value += [-1.0] * len(basket.lines)
    program = highspy.Highs()  # type: ignore[no-untyped-call]
    program.setOptionValue("output_flag", False)
    program.setOptionValue("threads", 1)
    empty = np.zeros(0, np.int32)
    program.addRows(len(lower), np.array(lower), np.array(upper), 0, empty, empty, np.zeros(0))
    program.addCols(
        len(costs),
        np.array(costs),
        np.zeros(len(costs)),
        np.full(len(costs), np.inf),
        len(index),
        np.array(starts, np.int32),
        np.array(index, np.int32),
        np.array(value),
    )
    program.run()
    return float(program.getInfo().objective_function_value)
