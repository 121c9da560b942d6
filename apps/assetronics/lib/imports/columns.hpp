#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bennu/base/result.hpp"

namespace assetronics::imports {

/// Not a field of an asset: who has it. People are assigned by hand, so that the name goes to the
/// notes.
inline constexpr std::string_view holder_field = "holder";

/// A column of a file and the field of an asset that it fills.
struct ColumnMatch {
    std::size_t index;  ///< in the row
    std::string column;
    std::string_view field;
};

struct ColumnMap {
    std::vector<ColumnMatch> matched;
    std::vector<std::string> ignored;
    std::size_t count = 0;  ///< of the header

    /// The column that fills the field.
    const ColumnMatch* find(std::string_view field) const;
};

/// Finds the columns by their names, as inventory tools and people write them, without regard to
/// case, spaces and punctuation. When several columns mean the same field, the most specific name
/// wins; the others are ignored. A header without a column for `tag` or `name` is refused, and told
/// what was found.
bennu::Result<ColumnMap> match_columns(const std::vector<std::string>& header);

/// `Asset Tag` is `assettag`: ASCII letters in lower case and digits; other bytes stay, but white
/// space and punctuation go.
std::string plain_name(std::string_view text);

}  // namespace assetronics::imports
