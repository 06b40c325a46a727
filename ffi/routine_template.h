// Made from src/ffi/mod.rs by `UPDATE_DOCS=1 cargo test --test header`.

#ifndef ROUTINE_TEMPLATE_H
#define ROUTINE_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

// Changes whenever a caller of the former version would not understand this one.
#define ROUTINE_TEMPLATE_ABI 1

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of this interface, [`ROUTINE_TEMPLATE_ABI`] of the library. Compare it before any other call.
uint32_t routine_template_abi(void);

// The version of the library, such as `0.1.0`: NUL-terminated UTF-8 that lives for ever.
const char *routine_template_version(void);

// Begins a PHP request (or any other span): what the one before has configured is forgotten, connections and tokens stay.
//
// `settings` is `{"sapi": "cli", "settings": {"appid": "wx…", …}}` in UTF-8 of `settings_length` bytes; the settings are those of
// php.ini without `routine_template.`, as texts; left out they have their defaults. The answer is as of `routine_template_call`.
//
// # Safety
//
// `settings` is readable for its length; `answer_length` is writable.
const uint8_t *routine_template_begin(const char *settings,
                                      size_t settings_length,
                                      size_t *answer_length);

// Calls a method.
//
// `call` is `{"method": "send", "appid": null, "arguments": […]}` in UTF-8 of `call_length` bytes: the methods and arguments of
// `RoutineTemplate` in PHP, `appid` naming the account of an `App` object. The answer is one of
// `{"value": …}`, what the method returns;
// `{"error": {"class": "RoutineTemplate\\ConfigException", "message": "…", "code": 0, "ambiguous": false}}`;
// `{"ask": …, "call": 7, …}`, a question for `routine_template_resume`.
//
// A caller that can be interrupted between this call and its answer gives the number itself, `"call": 7` in the text, one that no other
// waiting call has: then it can end the call without having seen the question.
//
// The answer is UTF-8 of `*answer_length` bytes, not NUL-terminated. It lives until this thread calls the library again with the same
// `answer_length`, with sixteen others, or for `routine_template_begin`: a signal handler that makes calls of its own before the answer
// has been read gives another `answer_length`.
//
// # Safety
//
// `call` is readable for its length; `answer_length` is writable.
const uint8_t *routine_template_call(const char *call,
                                     size_t call_length,
                                     size_t *answer_length);

// Goes on with a call that has asked a question: `call` is its number, `reply` the reply in JSON, or `false` if the application
// cannot give one and the call is to end. Every call that asks must be brought to its end. The answer is as of
// `routine_template_call`.
//
// # Safety
//
// `reply` is readable for its length; `answer_length` is writable.
const uint8_t *routine_template_resume(uint64_t call,
                                       const char *reply,
                                       size_t reply_length,
                                       size_t *answer_length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ROUTINE_TEMPLATE_H */
