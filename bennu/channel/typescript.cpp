#include "bennu/channel/typescript.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

namespace bennu {

namespace {

using detail::PayloadType;

/// Who writes a value: what the server writes is complete, what a client writes may leave out.
enum class Writer { server, client };

bool is_identifier(std::string_view name) {
    auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
    };
    return !name.empty() && letter(name[0]) &&
           std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// A property's name: quoted where it must be.
std::string property(std::string_view name) {
    if (is_identifier(name)) return std::string(name);
    std::string quoted;
    append_json_string(quoted, name);
    return quoted;
}

/// Whether a client may leave the field out.
bool may_be_absent(const FieldOps& ops) {
    return ops.kind == FieldKind::optional || ops.kind == FieldKind::vector ||
           ops.kind == FieldKind::json;
}

const RecordInfo* record_within(const FieldOps& ops) {
    const FieldOps* inner = &ops;
    while (inner->kind == FieldKind::optional || inner->kind == FieldKind::vector)
        inner = inner->inner;
    return inner->kind == FieldKind::record ? &inner->record() : nullptr;
}

/// Whether something in the record, however deep, may be left out. Records may hold themselves.
bool differs_for_clients(const RecordInfo& record, std::set<const RecordInfo*>& seen) {
    if (!seen.insert(&record).second) return false;
    return std::ranges::any_of(record.fields, [&](const Field& field) {
        const RecordInfo* inner = record_within(*field.ops);
        return may_be_absent(*field.ops) || (inner && differs_for_clients(*inner, seen));
    });
}

class Module {
  public:
    Module(std::string_view writer, std::span<const ChannelTypes> channels) {
        for (const ChannelTypes& channel : channels)
            shapes_.insert(shapes_.end(), channel.shapes().begin(), channel.shapes().end());
        text_.append("// Written by `").append(writer).append("` from the server's records; ");
        text_.append("not edited by hand.\n");
    }

    void add(const ChannelTypes& channel) {
        claim(channel.name(), &channel);
        std::string body = "\nexport interface " + channel.name() + " {\n";
        body += "  params: " + payload(channel.params(), Writer::client) + "\n";
        body += "  joined: " + payload(channel.joined(), Writer::server) + "\n";
        body += "  pushes: " + messages(channel.pushes(), Writer::client) + "\n";
        body += "  events: " + messages(channel.events(), Writer::server) + "\n";
        body += "  presence: " + payload(channel.meta(), Writer::server) + "\n";
        if (channel.known().ops)
            body += "  present: " + payload(channel.known(), Writer::server) + "\n";
        body += "}\n";
        flush();
        text_ += body;
    }

    std::string take() && { return std::move(text_); }

  private:
    /// A record or enum that was named and is still to be written.
    struct Named {
        const RecordInfo* record;
        const EnumInfo* enumeration;
        Writer writer;
        std::string name;
    };

    void claim(const std::string& name, const void* what) {
        if (!is_identifier(name)) {
            throw std::invalid_argument("not a name for a TypeScript type: " + name);
        }
        auto [at, fresh] = names_.emplace(name, what);
        if (!fresh && at->second != what) {
            throw std::invalid_argument("two types have the name " + name);
        }
    }

    std::string messages(const std::vector<ChannelTypes::Message>& all, Writer writer) {
        std::string out = "{";
        for (const ChannelTypes::Message& message : all) {
            out += "\n    " + property(message.event) + ": ";
            std::string payload_text = payload(message.payload, writer);
            if (writer == Writer::server) {
                out += payload_text;
                continue;
            }
            out += "{ payload: " + payload_text;
            if (message.reply) out += "; reply: " + payload(*message.reply, Writer::server);
            out += " }";
        }
        return out + (all.empty() ? "}" : "\n  }");
    }

    std::string payload(PayloadType type, Writer writer) {
        if (type.binary) return "ArrayBuffer";
        return type.ops ? value(*type.ops, writer) : "Record<string, never>";
    }

    std::string value(const FieldOps& ops, Writer writer) {
        switch (ops.kind) {
            case FieldKind::boolean:
                return "boolean";
            case FieldKind::int32:
            case FieldKind::int64:
            case FieldKind::uint16:
            case FieldKind::uint32:
            case FieldKind::uint64:
            case FieldKind::number:
            case FieldKind::money:
                return "number";
            case FieldKind::string:
            case FieldKind::uuid:
            case FieldKind::timestamp:
            case FieldKind::date:
            case FieldKind::duration:
            case FieldKind::secret:
                return "string";
            case FieldKind::json:
                return "unknown";
            case FieldKind::enumeration:
                return named(ops.enum_info());
            case FieldKind::record:
                return named(ops.record(), writer);
            case FieldKind::optional:
                return value(*ops.inner, writer) + " | null";
            case FieldKind::vector:
                return list_of(value(*ops.inner, writer));
        }
        throw std::logic_error("a field of no kind");
    }

    std::string shaped(const JsonShape& shape, Writer writer) {
        std::string text;
        for (const FieldOps* record : shape.records())
            text += (text.empty() ? "" : " | ") + value(*record, writer);
        if (shape.is_part()) {
            std::string keys;
            for (const std::string_view field : shape.always()) {
                if (!keys.empty()) keys += " | ";
                append_json_string(keys, field);
            }
            const std::string record = text;
            text = "Partial<" + record + ">";
            if (!keys.empty()) text += " & Pick<" + record + ", " + keys + ">";
        }
        return shape.is_list() ? list_of(text) : text;
    }

    static std::string list_of(const std::string& item) {
        return item.contains(' ') ? "(" + item + ")[]" : item + "[]";
    }

    std::string named(const EnumInfo& info) {
        std::string name(info.name);
        mention({.record = nullptr, .enumeration = &info, .writer = Writer::server, .name = name},
                &info);
        return name;
    }

    std::string named(const RecordInfo& info, Writer writer) {
        std::set<const RecordInfo*> seen;
        if (writer == Writer::client && !differs_for_clients(info, seen)) writer = Writer::server;
        std::string name(info.name);
        if (writer == Writer::client) name += "Input";
        mention({.record = &info, .enumeration = nullptr, .writer = writer, .name = name}, &info);
        return name;
    }

    void mention(Named type, const void* identity) {
        bool known = names_.contains(type.name);
        claim(type.name, identity);
        if (!known) pending_.push_back(std::move(type));
    }

    void flush() {
        for (std::size_t i = 0; i < pending_.size(); ++i) {
            const Named type = pending_[i];  // what it names is appended behind it
            if (type.record) {
                write(*type.record, type);
            } else {
                write(*type.enumeration);
            }
        }
        pending_.clear();
    }

    void write(const RecordInfo& record, const Named& type) {
        text_ += "\nexport interface " + type.name + " {\n";
        for (const Field& field : record.fields) {
            bool absent = type.writer == Writer::client && may_be_absent(*field.ops);
            const auto shape =
                std::ranges::find(shapes_, detail::MemberOf{&record, &field}, &Shaped::member);
            text_ += "  " + property(field.name) + (absent ? "?: " : ": ") +
                     (shape == shapes_.end() ? value(*field.ops, type.writer)
                                             : shaped(shape->shape, type.writer)) +
                     "\n";
        }
        text_ += "}\n";
    }

    void write(const EnumInfo& info) {
        text_.append("\nexport type ").append(info.name).append(" =");
        for (const EnumInfo::Enumerator& enumerator : info.enumerators) {
            text_ += " | \"";
            text_.append(enumerator.name) += '"';
        }
        text_ += "\n";
    }

    using Shaped = ChannelTypes::Shaped;
    std::vector<Shaped> shapes_;
    std::string text_;
    std::map<std::string, const void*, std::less<>> names_;
    std::vector<Named> pending_;
};

}  // namespace

std::string typescript(std::string_view writer, std::span<const ChannelTypes> channels) {
    Module module(writer, channels);
    for (const ChannelTypes& channel : channels) module.add(channel);
    return std::move(module).take();
}

}  // namespace bennu
