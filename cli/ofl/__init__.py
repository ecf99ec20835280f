"""`dom ofl`: the Order Fulfilment Logic: its policy, its explanations, its rehearsals."""

import typer

from cli.ofl import policies

app = typer.Typer(no_args_is_help=True, help="The policy that decides which node ships what.")


@app.callback()
def about() -> None:
    """The policy that decides which node ships what."""


app.command()(policies.show)
app.command()(policies.versions)
app.command()(policies.publish)
