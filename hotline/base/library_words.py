"""What rest_framework says to people, named here so that our catalogue says it: a third of it has no Russian there, and
some of the rest is hardly to be understood. makemessages reads this; tests/base/test_api_words.py holds it complete.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

WORDS = (
    # exceptions
    _("Invalid input."),
    _("Malformed request."),
    _("Incorrect authentication credentials."),
    _("Authentication credentials were not provided."),
    _("You do not have permission to perform this action."),
    _("Not found."),
    _('Method "{method}" not allowed.'),
    _("Could not satisfy the request Accept header."),
    _('Unsupported media type "{media_type}" in request.'),
    _("Request was throttled."),
    _("Expected available in {wait} second."),
    _("Expected available in {wait} seconds."),
    _("Invalid cursor"),
    # values
    _("Must be a valid boolean."),
    _("Not a valid string."),
    _("Must be a valid UUID."),
    _("A valid integer is required."),
    _("A valid biginteger is required."),
    _("A valid number is required."),
    _("Integer value too large to convert to float"),
    _('Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'),
    _('Enter a valid "slug" consisting of Unicode letters, numbers, underscores, or hyphens.'),
    _("This value does not match the required pattern."),
    _("Surrogate characters are not allowed: U+{code_point:X}."),
    # moments
    _("Date has wrong format. Use one of these formats instead: {format}."),
    _("Time has wrong format. Use one of these formats instead: {format}."),
    _("Datetime has wrong format. Use one of these formats instead: {format}."),
    _("Duration has wrong format. Use one of these formats instead: {format}."),
    _("Expected a date but got a datetime."),
    _("Expected a datetime but got a date."),
    _('Invalid datetime for the timezone "{timezone}".'),
    _("Datetime value out of range."),
    # structures
    _("Invalid data. Expected a dictionary, but got {datatype}."),
    _('Expected a dictionary of items but got type "{input_type}".'),
    _('Expected a list of items but got type "{input_type}".'),
    _("This dictionary may not be empty."),
    _("Ensure this field has at least {min_length} elements."),
    _("Ensure this field has no more than {max_length} elements."),
    # rows
    _('Invalid pk "{pk_value}" - object does not exist.'),
    _("Incorrect type. Expected pk value, received {data_type}."),
    _("Object with {slug_name}={value} does not exist."),
    _("The fields {field_names} must make a unique set."),
)
