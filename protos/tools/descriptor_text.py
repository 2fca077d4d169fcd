"""Render a file descriptor as proto source, to vendor a schema without its repository.

What is written compiles to the same descriptor again; `vendor.py` checks that it does. Comments are
lost, since a descriptor at run time carries none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2, text_encoding, text_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in _Field.Type.items()
    if number not in {_Field.TYPE_MESSAGE, _Field.TYPE_ENUM, _Field.TYPE_GROUP}
}
_LABELS = {_Field.LABEL_REPEATED: "repeated ", _Field.LABEL_REQUIRED: "required "}


def render_file(file: descriptor_pb2.FileDescriptorProto) -> str:
    """Return proto source for `file`, whose options were parsed with their extensions known."""
    lines = [f'syntax = "{file.syntax or "proto2"}";', "", f"package {file.package};", ""]
    lines += [f'import "{name}";' for name in file.dependency]
    lines += ["", *_options(file.options)]
    proto2 = file.syntax in {"", "proto2"}
    for extension in file.extension:
        lines += ["", f"extend {extension.extendee} {{", f"  {_field(extension, proto2)}", "}"]
    for message in file.message_type:
        lines += ["", *_message(message, proto2)]
    for enum in file.enum_type:
        lines += ["", *_enum(enum)]
    return "\n".join(lines) + "\n"


def _message(message: descriptor_pb2.DescriptorProto, proto2: bool) -> Iterator[str]:
    yield f"message {message.name} {{"
    body: list[str] = list(_options(message.options))
    for nested in message.nested_type:
        if nested.options.map_entry:
            msg = f"map fields are not rendered: {message.name}"
            raise ValueError(msg)
        body += _message(nested, proto2)
    for enum in message.enum_type:
        body += _enum(enum)
    done: set[int] = set()
    for field in message.field:
        if not field.HasField("oneof_index") or field.proto3_optional:
            body.append(_field(field, proto2))
        elif field.oneof_index not in done:
            done.add(field.oneof_index)
            body += _oneof(message, field.oneof_index)
    for span in message.extension_range:
        last = "max" if span.end > (1 << 29) - 1 else span.end - 1
        body.append(f"extensions {span.start} to {last};")
    body += [f"reserved {span.start} to {span.end - 1};" for span in message.reserved_range]
    body += [f'reserved "{name}";' for name in message.reserved_name]
    yield from ("  " + line for line in body)
    yield "}"


def _oneof(message: descriptor_pb2.DescriptorProto, index: int) -> Iterator[str]:
    oneof = message.oneof_decl[index]
    yield f"oneof {oneof.name} {{"
    yield from ("  " + line for line in _options(oneof.options))
    for field in message.field:
        if field.HasField("oneof_index") and field.oneof_index == index:
            yield "  " + _field(field, proto2=False)
    yield "}"


def _enum(enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[str]:
    yield f"enum {enum.name} {{"
    yield from ("  " + line for line in _options(enum.options))
    for value in enum.value:
        yield f"  {value.name} = {value.number}{_inline(value.options)};"
    for span in enum.reserved_range:  # inclusive at both ends, unlike a message's
        yield f"  reserved {span.start} to {span.end};"
    yield from (f'  reserved "{name}";' for name in enum.reserved_name)
    yield "}"


def _field(field: descriptor_pb2.FieldDescriptorProto, proto2: bool) -> str:
    label = _LABELS.get(field.label, "")
    if not label and (field.proto3_optional or (proto2 and not field.HasField("oneof_index"))):
        label = "optional "
    kind = field.type_name or _SCALARS[field.type]
    return f"{label}{kind} {field.name} = {field.number}{_inline(field.options, field)};"


def _options(options: Message) -> Iterator[str]:
    yield from (f"option {text};" for text in _settings(options))


def _inline(options: Message, field: descriptor_pb2.FieldDescriptorProto | None = None) -> str:
    settings = list(_settings(options))
    if field is not None and field.HasField("default_value"):
        quote = '"' if field.type == _Field.TYPE_STRING else ""
        settings.append(f"default = {quote}{field.default_value}{quote}")
    return f" [{', '.join(settings)}]" if settings else ""


def _settings(options: Message) -> Iterator[str]:
    for field, value in options.ListFields():
        name = f"({field.full_name})" if field.is_extension else field.name
        if field.enum_type is not None:
            yield f"{name} = {field.enum_type.values_by_number[value].name}"
        elif field.message_type is not None:
            yield f"{name} = {{{text_format.MessageToString(value, as_one_line=True)}}}"
        elif isinstance(value, bool):
            yield f"{name} = {str(value).lower()}"
        elif isinstance(value, str):
            escaped = text_encoding.CEscape(value.encode(), as_utf8=True)
            yield f'{name} = "{escaped}"'
        else:
            yield f"{name} = {value}"
