"""The connector of the platform `x12`."""

from typing import ClassVar

from connectors.channels.edi.interchange import Standard
from connectors.channels.edi.partner import PartnerConnector
from connectors.channels.edi.settings import PartnerSettings, X12Settings
from connectors.channels.edi.x12.answers import X12
from dom.channels.connection import Connection, Platform


class X12Connector(PartnerConnector):
    """A partner who speaks X12: 850 and 860 in, 997, 855 and 856 out."""

    platform: ClassVar[Platform] = Platform.X12
    settings_model = X12Settings

    def _read_settings(self, connection: Connection) -> tuple[PartnerSettings, Standard]:
        settings = X12Settings.model_validate(connection.settings)
        return settings, X12(settings)
