#include "bennu/data/schema.hpp"

#include <stdexcept>

namespace bennu {

namespace {

bool is_identifier(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (char c : name) {
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

}  // namespace

Schema::Schema(std::string table, const RecordInfo& record)
    : table_(std::move(table)), record_(&record) {
    if (!is_identifier(table_)) {
        throw std::logic_error("a table's name is lower case letters, digits and _: " + table_);
    }
    for (const Field& field : record.fields) columns_.push_back(&field);
    if (const Field* id = record.find("id")) primary_key_.push_back(id);
}

const Field* Schema::column(std::string_view name) const {
    for (const Field* field : columns_) {
        if (field->name == name) return field;
    }
    return nullptr;
}

const Field& Schema::key() const {
    if (primary_key_.size() != 1) {
        throw std::logic_error(table_ + " has no single primary key column");
    }
    return *primary_key_.front();
}

bool Schema::is_primary_key(const Field& field) const {
    for (const Field* each : primary_key_) {
        if (each == &field) return true;
    }
    return false;
}

}  // namespace bennu
