<?php

declare(strict_types=1);

/**
 * The ways of sending one message that the benchmark compares. Each takes the same settings and returns the raw answer.
 * The cURL ways get the finished body and a valid token: they do nothing but the request.
 */
final class Contenders
{
    public const NAMES = ['extension', 'curl_kept', 'curl_fresh'];

    /** @var \CurlHandle|null */
    private static $handle = null;

    public static function prepare(string $name, array $settings): void
    {
        if ($name === 'extension') {
            RoutineTemplate::configure([
                'appid' => $settings['appid'], 'secret' => $settings['secret'],
                'base_url' => $settings['https'], 'ca_file' => $settings['ca_file'], 'store' => $settings['store'],
            ]);
            RoutineTemplate::registerTemplate('ORDER_PAY_SUCCESS', $settings['template_id'], $settings['content']);
        }
    }

    public static function send(string $name, array $settings): int
    {
        switch ($name) {
            case 'extension':
                return RoutineTemplate::send($settings['openid'], $settings['template_id'], $settings['data'])['errcode'];
            case 'curl_kept':
                self::$handle ??= curl_init();
                return self::curl(self::$handle, $settings);
            case 'curl_fresh':
                return self::curl(curl_init(), $settings);
        }
        throw new InvalidArgumentException($name);
    }

    private static function curl(\CurlHandle $handle, array $settings): int
    {
        curl_setopt_array($handle, [
            CURLOPT_URL => $settings['https'] . '/cgi-bin/message/subscribe/send?access_token=' . $settings['token'],
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => json_encode([
                'touser' => $settings['openid'], 'template_id' => $settings['template_id'],
                'data' => array_map(static fn ($value) => ['value' => $value], $settings['data']),
            ], JSON_UNESCAPED_UNICODE),
            CURLOPT_HTTPHEADER => ['Content-Type: application/json; charset=utf-8'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CAINFO => $settings['ca_file'],
            CURLOPT_TIMEOUT => 5,
        ]);
        $answer = curl_exec($handle);
        if ($answer === false) {
            throw new RuntimeException(curl_error($handle));
        }
        return json_decode($answer, true)['errcode'];
    }
}
