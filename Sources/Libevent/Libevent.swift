// Libevent
