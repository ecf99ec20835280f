"""The connector of the platform `edifact`."""

from typing import ClassVar

from connectors.channels.edi.edifact.answers import Edifact
from connectors.channels.edi.interchange import Standard
from connectors.channels.edi.partner import PartnerConnector
from connectors.channels.edi.settings import EdifactSettings, PartnerSettings
from dom.channels.connection import Connection, Platform


class EdifactConnector(PartnerConnector):
    """A partner who speaks EDIFACT: ORDERS and ORDCHG in, CONTRL, ORDRSP and DESADV out."""

    platform: ClassVar[Platform] = Platform.EDIFACT
    settings_model = EdifactSettings

    def _read_settings(self, connection: Connection) -> tuple[PartnerSettings, Standard]:
        settings = EdifactSettings.model_validate(connection.settings)
        return settings, Edifact(settings)
