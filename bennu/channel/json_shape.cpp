#include "bennu/channel/json_shape.hpp"

#include <stdexcept>
#include <string>

namespace bennu {

void JsonShape::require(std::initializer_list<std::string_view> fields) {
    const RecordInfo& record = records_.front()->record();
    for (const std::string_view name : fields) {
        const Field* field = record.find(name);
        if (!field) {
            throw std::invalid_argument(std::string(record.name) + " has no field " +
                                        std::string(name));
        }
        always_.push_back(field->name);
    }
}

}  // namespace bennu
