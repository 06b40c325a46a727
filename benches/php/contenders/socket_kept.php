<?php

declare(strict_types=1);

require_once __DIR__ . '/request.php';

/**
 * HTTP/1.1 by hand over `pfsockopen`, the least that PHP can do: the connection outlives the request of php-fpm. The peer is verified
 * (`openssl.cafile`); a connection that the server has closed meanwhile is opened anew, once.
 */
return static function (array $settings): callable {
    $address = parse_url($settings['https']);
    $target = strstr(Request::url($settings), '/cgi-bin');
    return static function (string $openid) use ($settings, $address, $target): int {
        $body = Request::body($settings, $openid);
        $request = "POST $target HTTP/1.1\r\nHost: {$address['host']}:{$address['port']}\r\n"
            . "Content-Type: application/json; charset=utf-8\r\nContent-Length: " . strlen($body) . "\r\n\r\n$body";
        for ($try = 0; $try < 2; $try++) {
            $connection = pfsockopen('ssl://' . $address['host'], $address['port'], $code, $message, 5);
            if ($connection === false) {
                throw new RuntimeException("$code $message");
            }
            stream_set_timeout($connection, 5);
            $status = fwrite($connection, $request) === strlen($request) ? fgets($connection) : false;
            if ($status === false) {
                fclose($connection);
                continue;
            }
            $length = null;
            while (($line = fgets($connection)) !== false && $line !== "\r\n") {
                if (strncasecmp($line, 'content-length:', 15) === 0) {
                    $length = (int) substr($line, 15);
                }
            }
            $answer = $length === null ? false : stream_get_contents($connection, $length);
            if (strncmp($status, 'HTTP/1.1 200', 12) !== 0 || $answer === false || strlen($answer) !== $length) {
                fclose($connection);
                throw new RuntimeException("no answer: $status");
            }
            return Request::read($answer)['errcode'];
        }
        throw new RuntimeException('the connection was closed twice');
    };
};
