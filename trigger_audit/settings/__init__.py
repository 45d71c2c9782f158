"""The settings of a project: one file, with what options say instead, and where each value comes from."""

from trigger_audit.settings.file import load_settings as load_settings
from trigger_audit.settings.meaning import chosen_rules as chosen_rules
from trigger_audit.settings.meaning import exemptions as exemptions
from trigger_audit.settings.model import Setting as Setting
from trigger_audit.settings.model import Settings as Settings
from trigger_audit.settings.model import with_options as with_options
from trigger_audit.settings.showing import settings_lines as settings_lines
