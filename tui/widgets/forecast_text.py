"""A forecast of what a run will cost, as lines of text; it forecasts nothing."""

import math
from collections.abc import Iterator

from graph.forecasting.forecast import AgentForecast, Forecast
from graph.settings import RunSettings

MOST_DIMENSIONS = 5
"""Dimensions that are named of those on which the pool lacks scenes."""


def told_forecast(forecast: Forecast, notes: list[str], has_prices: bool) -> str:
    """The table by agent, what the pool lacks, and the notes.

    Args:
        forecast: what to tell.
        notes: on what it rests.
        has_prices: whether there is any money to tell of.
    """
    each = forecast.calls_per_pair
    head = (
        f"{forecast.readers:,} readers, {forecast.requested:,} pairs requested: about"
        f" {each.likely:,.2f} model calls for each ({each.least:,.2f} to {each.most:,.2f})"
    )
    columns = f"{'':<16}{'least':>9}{'likely':>9}{'most':>11}{'tokens in':>13}{'out':>12}"
    money = f"{'least $':>12}{'likely $':>12}{'most $':>12}" if has_prices else ""
    rows = (*forecast.agents, forecast.total) if len(forecast.agents) > 1 else forecast.agents
    table = [columns + money, *(_row(agent, has_prices) for agent in rows)]
    told = [head, "", *(table if rows else ["No model is asked."]), "", _lacking(forecast.lacking)]
    return "\n".join([*told, "", *(f"- {note}" for note in notes)])


def notes(forecast: Forecast, settings: RunSettings, spent_usd: float) -> list[str]:
    """What the figures rest on, and what they mean for the cap.

    Args:
        forecast: the figures.
        settings: what the run goes by.
        spent_usd: what it has cost so far.
    """
    return [*_grounds(forecast, settings), *_money(forecast, settings, spent_usd)]


def has_prices(settings: RunSettings) -> bool:
    """Whether calls are priced."""
    return settings.chat.cost_usd(1, 1) > 0


def _grounds(forecast: Forecast, settings: RunSettings) -> Iterator[str]:
    agents, odds = {agent.agent for agent in forecast.agents}, forecast.odds
    if forecast.looked_at < forecast.readers:
        yield (
            f"It rests on {forecast.looked_at:,} readers, chosen at random; the others are taken to"
            " be like them."
        )
    if forecast.unknown:
        yield (
            f"{forecast.unknown:,} of the pairs cannot be planned: nothing is known of their"
            " readers there."
        )
    if settings.profiler.text in ("chat", "systemone"):
        yield (
            "Who reads the reviews is not asked: likely is what the embedded reader finds in them,"
            " at least is that nothing is found."
        )
    if "scenario_writer" in agents:
        runs = forecast.earlier_runs
        ground = f"{runs} earlier run{'s' * (runs > 1)} of this kind here" if runs else "assumed"
        yield (
            f"Likely supposes that {odds.accepted:.0%} of the pairs of shipped scenes pass the"
            f" critic, {odds.accepted_of_written:.0%} of those of written ones, and that"
            f" {odds.admitted:.0%} of the scenes ordered get into the pool ({ground})."
        )
    if "pair_critic" in agents:
        yield (
            "A chat judge is asked twice about each pair where the endpoint tells"
            f" log-probabilities, and {2 * settings.critic.votes} times where it does not."
        )
    if forecast.kept:
        yield f"{forecast.kept:,} replies are kept from earlier runs and cost nothing."
    if "systemone" in agents:
        yield "Calls of the System One model have no price here."
    yield (
        "Tokens are about: of each agent's earlier calls with this model, else a quarter of the"
        " bytes. Calls that fail on the way and are made again are not counted."
    )


def _money(forecast: Forecast, settings: RunSettings, spent_usd: float) -> Iterator[str]:
    cap, cost = settings.synthesis.max_cost_usd, forecast.total.cost_usd
    if not has_prices(settings):
        hold = "" if cap is None else f", and the cap of ${cap:g} holds nothing back"
        yield (
            f"No prices are set, so no money is told{hold}. Set chat.price_in_usd and"
            " chat.price_out_usd: USD for a million tokens of prompts and of replies."
        )
    elif cap is not None:
        left, first = cap - spent_usd, forecast.first_call_usd
        spent = f" less ${spent_usd:.4f} spent" if spent_usd else ""
        if first is not None and left < first:
            told = f"is below the first call, which may cost ${first:.4f}: none would be made"
        elif left < cost.least:
            told = "is below the least: the run would stop before its end, resumably"
        elif left < cost.likely:
            told = "is below what is likely: the run would stop before its end, resumably"
        elif left < cost.most:
            told = "is above what is likely and below the most"
        else:
            told = "is above the most"
        yield f"The cap of ${cap:g}{spent} {told}."


def _row(agent: AgentForecast, has_prices: bool) -> str:
    calls, cost = agent.calls, agent.cost_usd
    counts = f"{_count(calls.least):>9}{_count(calls.likely):>9}{_count(calls.most):>11}"
    tokens = f"{_count(agent.tokens_in.likely):>13}{_count(agent.tokens_out.likely):>12}"
    money = "".join(f"{usd:>12,.4f}" for usd in (cost.least, cost.likely, cost.most))
    return f"{agent.agent:<16}{counts}{tokens}{money if has_prices else ''}"


def _lacking(lacking: dict[str, int]) -> str:
    if not lacking:
        return "The pool has scenes for everybody's first round."
    first = list(lacking.items())[:MOST_DIMENSIONS]
    named = ", ".join(f"{name} {count}" for name, count in first)
    more = len(lacking) - len(first)
    others = f" and {more} more dimensions" if more else ""
    count = sum(lacking.values())
    return f"For the first round the pool lacks {count} scene{'s' * (count > 1)}: {named}{others}"


def _count(figure: float) -> str:
    return f"{math.ceil(figure):,}"
