#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bennu/data/condition.hpp"

namespace bennu {

/// SQL that is spelled in the source: it cannot hold what a user typed.
class SqlText {
  public:
    template <std::size_t n>
    consteval SqlText(const char (&literal)[n]) : text_(literal, n - 1) {}
    std::string_view text() const { return text_; }

  private:
    std::string_view text_;
};

/// SQL of your own with bound parameters, written `?` in the text on every engine. `Row` is the
/// record that its result columns are matched to, by name; void when there are none.
template <typename Row = void>
class Sql {
  public:
    template <typename... P>
    explicit Sql(SqlText text, const P&... params)
        : text_(text.text()), params_{data::to_value(params)...} {}
    /// More of it: `query.add(" and status = ?", status)`.
    template <typename... P>
    Sql& add(SqlText text, const P&... params) {
        text_ += text.text();
        (params_.push_back(data::to_value(params)), ...);
        return *this;
    }
    const std::string& text() const { return text_; }
    const std::vector<Value>& params() const { return params_; }

  private:
    std::string text_;
    std::vector<Value> params_;
};

/// `sql<Total>("select status, count(*) as total from assets where tenant = ? group by 1",
/// tenant)`.
template <Record Row, typename... P>
Sql<Row> sql(SqlText text, const P&... params) {
    return Sql<Row>(text, params...);
}
/// SQL without a result: `sql("delete from sessions where expires_at < ?", now)`.
template <typename... P>
Sql<> sql(SqlText text, const P&... params) {
    return Sql<>(text, params...);
}

}  // namespace bennu
