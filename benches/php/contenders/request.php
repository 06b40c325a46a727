<?php

declare(strict_types=1);

/** What the ways without RoutineTemplate share: the finished body, the address with a token at hand, a cURL request, the errcode. */
final class Request
{
    public static function url(array $settings, ?string $token = null): string
    {
        return $settings['https'] . '/cgi-bin/message/subscribe/send?access_token=' . ($token ?? $settings['token']);
    }

    public static function body(array $settings, string $openid): string
    {
        return (string) json_encode([
            'touser' => $openid, 'template_id' => $settings['template_id'],
            'data' => array_map(static fn ($value) => ['value' => $value], $settings['data']),
        ], JSON_UNESCAPED_UNICODE);
    }

    /** PHP has set where cURL finds the certificates (`curl.cainfo`); verification is on, as it is unless somebody turns it off. */
    public static function prepare(CurlHandle $handle, string $url, string $body): void
    {
        curl_setopt_array($handle, [
            CURLOPT_URL => $url,
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json; charset=utf-8'],
            CURLOPT_RETURNTRANSFER => true,
            // A busy machine needs seconds for 32 handshakes at once.
            CURLOPT_TIMEOUT => 30,
        ]);
    }

    /** @return array<string, mixed> WeChat's answer */
    public static function post(CurlHandle $handle, string $url, string $body): array
    {
        self::prepare($handle, $url, $body);
        $answer = curl_exec($handle);
        if ($answer === false) {
            throw new RuntimeException(curl_error($handle));
        }
        return self::read($answer);
    }

    /** @return array<string, mixed> */
    public static function read(string $answer): array
    {
        return json_decode($answer, true, 512, JSON_THROW_ON_ERROR);
    }
}
