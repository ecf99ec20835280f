"""`dom ofl`: the Order Fulfilment Logic: its policy, its explanations, its rehearsals."""

import typer

from cli.ofl import comparing, drafts, explaining, linting, policies, rehearsing, shadowing

app = typer.Typer(no_args_is_help=True, help="The policy that decides which node ships what.")


@app.callback()
def about() -> None:
    """The policy that decides which node ships what."""


app.command()(policies.show)
app.command()(policies.versions)
app.command()(policies.publish)
app.command()(policies.rollback)
app.command()(policies.schema)
app.command()(linting.lint)
app.command()(comparing.diff)
app.command()(explaining.explain)
app.add_typer(drafts.app, name="draft")
app.command()(rehearsing.rehearse)
app.add_typer(shadowing.app, name="shadow")
