#include "apps/assetronics/lib/imports/plan.hpp"

#include <gtest/gtest.h>

namespace assetronics::imports::plan_test {

bennu::Result<Plan> plan_of(std::string_view text) {
    return make_plan([text] { return csv_text(text); });
}

/// Every row as JSON, or its errors as `line field code`.
std::vector<std::string> read_all(std::string_view text) {
    auto plan = plan_of(text);
    if (!plan) return {plan.error().describe()};
    CsvReader reader(csv_text(text), plan->separator, plan->first_row, plan->limits());
    std::vector<std::string> out;
    while (auto row = reader.next()) {
        std::vector<RowError> errors;
        if (auto asset = read_row(*plan, *row, errors)) out.push_back(to_json(*asset));
        for (const RowError& error : errors) {
            out.push_back(std::to_string(error.line) + " " +
                          (error.field.empty() ? "-" : error.field) + " " + error.code);
        }
    }
    return out;
}

using Rows = std::vector<std::string>;

TEST(ImportPlan, rows_become_the_fields_of_assets) {
    EXPECT_EQ(
        read_all("Asset Tag;Asset Name;Category;Purchase Cost;Purchase Date;Status;Colour\n"
                 "A-1;ThinkPad;Laptops;1.299,00;31.01.2024;Ready to Deploy;black\n"
                 "A-2;Mac;;;;;\n"),
        (Rows{
            R"({"tag":"A-1","name":"ThinkPad","category":"laptop","cost":"1299","purchase_date":"2024-01-31",)"
            R"("status":"in_stock"})",
            R"({"tag":"A-2","name":"Mac"})"}));
}

TEST(ImportPlan, the_file_decides_the_order_of_its_dates) {
    EXPECT_EQ(read_all("tag,name,purchase date\nA,a,3/4/2024\nB,b,25/4/2024\n"),
              (Rows{R"({"tag":"A","name":"a","purchase_date":"2024-04-03"})",
                    R"({"tag":"B","name":"b","purchase_date":"2024-04-25"})"}));
    EXPECT_EQ(
        read_all("tag,name,purchase date\nA,a,3/4/2024\nB,b,25/4/2024\nC,c,4/25/2024\n"),
        (Rows{"2 purchase_date ambiguous", R"({"tag":"B","name":"b","purchase_date":"2024-04-25"})",
              R"({"tag":"C","name":"c","purchase_date":"2024-04-25"})"}));
}

TEST(ImportPlan, who_has_an_asset_is_kept_as_a_note) {
    EXPECT_EQ(
        read_all("tag,name,status,assigned "
                 "to,notes\nA,a,Deployed,Ada,\nB,b,Deployed,,\nC,c,Archived,Bob,old\n"),
        (Rows{R"({"tag":"A","name":"a","notes":"Assigned to: Ada"})", R"({"tag":"B","name":"b"})",
              R"({"tag":"C","name":"c","status":"retired","notes":"old\nAssigned to: Bob"})"}));
}

TEST(ImportPlan, every_kind_of_bad_row_is_told_with_its_line) {
    EXPECT_EQ(read_all("tag,name,category,status,condition,cost,purchase date\n"
                       ",a,,,,,\n"                                    // 2
                       "B,,,,,,\n"                                    // 3
                       "C,c,spaceship,dreaming,haunted,a lot,soon\n"  // 4
                       "D,d,,,,,\n"                                   // 5
                       "D,again,,,,,\n"                               // 6
                       "E,e\n"                                        // 7
                       "F,f,,,,,,,\n"                                 // 8
                       "G,\xFF,,,,,\n"                                // 9
                       "\"H\",\"two\nlines\",,,,,\n"                  // 10
                       "I,i,,,,,\n"),                                 // 12
              (Rows{"2 tag required", "3 name required", "4 category not_one_of",
                    "4 status not_one_of", "4 condition not_one_of", "4 cost invalid",
                    "4 purchase_date invalid", R"({"tag":"D","name":"d"})", "6 tag taken",
                    "7 - columns", "8 - columns", "9 - invalid_utf8",
                    R"({"tag":"H","name":"two\nlines"})", R"({"tag":"I","name":"i"})"}));
}

TEST(ImportPlan, files_that_are_no_table_are_refused) {
    const auto code = [](std::string_view text) {
        auto plan = plan_of(text);
        return plan ? std::string("fine") : plan.error().fields().at(0).code;
    };
    EXPECT_EQ(code(""), "empty");
    EXPECT_EQ(code(" \n\n"), "empty");
    EXPECT_EQ(code(std::string_view("\xFF\xFEt\0a\0", 6)), "invalid_utf8");
    EXPECT_EQ(code("PK\x03\x04zzz"), "not_csv");
    EXPECT_EQ(code("t\xE9g,name\n"), "invalid_utf8");
    EXPECT_EQ(code("colour,size\nred,1\n"), "missing_column");
    EXPECT_EQ(code("tag,name\n"), "fine");
    std::string wide = "tag,name";
    for (int i = 0; i < 100; ++i) wide += ",x";
    EXPECT_EQ(code(wide + "\n"), "too_many_columns");
    std::string many = "tag,name\n";
    for (int i = 0; i <= 200'000; ++i) many += "a,b\n";
    auto refused = plan_of(many);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), bennu::ErrorKind::too_large);
}

TEST(ImportPlan, counts_rows_and_finds_first_lines) {
    auto plan = plan_of("\ntag,name\nA,a\n\nB,b\nA,c\n");
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->total, 3);
    EXPECT_EQ(plan->first_lines.at("A"), 3);
    EXPECT_EQ(plan->first_lines.at("B"), 5);
}

}  // namespace assetronics::imports::plan_test
