-- Notes that an account has, or had lately, messages in its outbox.
redis.call('ZADD', P .. 'accounts', digits(now_ms()), ARGV[2])
