#pragma once

#include <string>
#include <vector>

#include "apps/assetronics/lib/tenants/tenants.hpp"
#include "bennu/data/filters.hpp"
#include "bennu/web/conn.hpp"

namespace assetronics::web {

/// Which fields of a record an answer has: those that `select` names, or all that the outside sees.
class Shape {
  public:
    /// Takes `select` out of the parameters. A field that is unknown: 400.
    Shape(const bennu::RecordInfo& visible, bennu::QueryParams& params);
    Shape(const Shape&) = delete;
    Shape& operator=(const Shape&) = delete;
    const bennu::RecordInfo& record() const { return record_; }

  private:
    std::vector<bennu::Field> fields_;
    bennu::RecordInfo record_;
};

/// `,"meta":{…}` of a list.
void append_meta(std::string& out, std::int64_t page, std::int64_t page_size, std::int64_t total);

/// `{"data": {…}}`
template <bennu::Record T>
bennu::Response render(const bennu::Conn& conn, int status, const T& record) {
    std::string text = "{\"data\":";
    write_public(text, record);
    text += '}';
    return bennu::json_text(conn, status, std::move(text));
}

/// `{"data": […], "meta": {…}}`
template <bennu::Record T>
bennu::Response render_page(const bennu::Conn& conn, const bennu::Page<T>& page,
                            const bennu::RecordInfo& shape = public_record<T>()) {
    std::string text = "{\"data\":[";
    for (const T& row : page.rows) {
        if (&row != page.rows.data()) text += ',';
        bennu::write_json(text, &row, shape);
    }
    text += ']';
    append_meta(text, page.page, page.page_size, page.total);
    text += '}';
    return bennu::json_text(conn, 200, std::move(text));
}

}  // namespace assetronics::web
