// OpenSSL and libevent's bufferevents over it, as Swift sees them: the public headers, and inline functions only for what Swift
// cannot call (macros).
#pragma once

#include <event2/bufferevent_ssl.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// What a context is made with.

static inline int ps_tls_set_minimum(SSL_CTX *context, int version) { return SSL_CTX_set_min_proto_version(context, version); }
static inline int ps_tls_set_maximum(SSL_CTX *context, int version) { return SSL_CTX_set_max_proto_version(context, version); }
static inline int ps_tls_set_groups(SSL_CTX *context, const char *list) { return (int)SSL_CTX_set1_groups_list(context, list); }
static inline int ps_tls_set_signature_algorithms(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(context, list);
}
static inline int ps_tls_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

/// No cache: sessions are the clients' to keep, in tickets. Buffers are given back while a connection is idle. What a retried
/// write is given may have moved, since libevent moves it.
static inline void ps_tls_set_modes(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/// A place in every session for a number of ours.
static inline int ps_tls_session_index(void) { return SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL); }

/// Which socket a session's BIO means from now on; the end of another one is no longer known.
static inline void ps_tls_set_socket(SSL *session, int descriptor) {
    BIO *bio = SSL_get_rbio(session);
    if (!bio) return;
    BIO_clear_flags(bio, BIO_FLAGS_IN_EOF);
    BIO_set_fd(bio, descriptor, BIO_NOCLOSE);
}

/// The session's buffers stay while nothing comes, and a write may take a part.
static inline void ps_tls_keep_buffers(SSL *session) {
    SSL_clear_mode(session, SSL_MODE_RELEASE_BUFFERS);
    SSL_set_mode(session, SSL_MODE_ENABLE_PARTIAL_WRITE);
}
/// They go.
static inline void ps_tls_release_buffers(SSL *session) { SSL_set_mode(session, SSL_MODE_RELEASE_BUFFERS); }

/// `SSL_OP_IGNORE_UNEXPECTED_EOF`: an end without close_notify is an end. Requests and packets tell their own length, so that
/// nobody gains by cutting them.
static inline uint64_t ps_tls_options(void) {
    return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE |
           SSL_OP_PRIORITIZE_CHACHA;
}

typedef int (*ps_tls_ticket_callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int);
static inline void ps_tls_set_ticket_callback(SSL_CTX *context, ps_tls_ticket_callback callback) {
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callback);
}

/// Parameters point to their names, which for Swift are no constants.
static inline int ps_tls_begin_hmac_sha256(EVP_MAC_CTX *context, const void *key, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(context, parameters);
}

/// A place in every context for an object of ours, which `release` is told to let go when the context dies.
static inline int ps_tls_context_index(CRYPTO_EX_free *release) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, release);
}

static inline X509 *ps_tls_peer_certificate(const SSL *session) { return SSL_get1_peer_certificate(session); }

static inline int ps_tls_is_text(const ASN1_STRING *text, const void *name, size_t count) {
    return text && (size_t)ASN1_STRING_length(text) == count && memcmp(ASN1_STRING_get0_data(text), name, count) == 0;
}

/// Whether a certificate is made out to that name, byte for byte: as a common name of its subject, or as a DNS name or URI among
/// its alternative names.
static inline int ps_tls_is_named(X509 *certificate, const void *name, size_t count) {
    X509_NAME *subject = X509_get_subject_name(certificate);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        if (ps_tls_is_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), name, count)) return 1;
    GENERAL_NAMES *others = (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int found = 0;
    for (int at = 0; !found && at < sk_GENERAL_NAME_num(others); at++) {
        const GENERAL_NAME *other = sk_GENERAL_NAME_value(others, at);
        found = (other->type == GEN_DNS || other->type == GEN_URI) && ps_tls_is_text(other->d.ia5, name, count);
    }
    GENERAL_NAMES_free(others);
    return found;
}

// The client's end.

/// The server's certificate has to be made out to this name or address, which is told to it where it is a name (RFC 6066 §3).
static inline int ps_tls_expect_name(SSL *session, const char *host) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1) return 1;
    ERR_clear_error();
    SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

/// Sessions are given to `keep`, which takes the reference by returning 1, and kept by nobody else.
static inline void ps_tls_keep_sessions(SSL_CTX *context, int (*keep)(SSL *, SSL_SESSION *)) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
}

// Errors.

static inline int ps_error_library(unsigned long code) { return ERR_GET_LIB(code); }
static inline int ps_error_reason(unsigned long code) { return ERR_GET_REASON(code); }
