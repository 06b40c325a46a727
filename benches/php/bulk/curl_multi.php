<?php

declare(strict_types=1);

require_once __DIR__ . '/../contenders/request.php';

/** So many cURL handles at once under one multi handle, which keeps their connections and the trust store that it has loaded. */
return static function (array $settings): callable {
    $multi = curl_multi_init();
    curl_multi_setopt($multi, CURLMOPT_MAXCONNECTS, $settings['concurrency']);
    $handles = [];
    return static function (int $count) use ($settings, $multi, &$handles): void {
        $openids = Bulk::openids($count);
        $next = static function (CurlHandle $handle) use ($settings, $multi, $openids): void {
            if ($openids->valid()) {
                Request::prepare($handle, Request::url($settings), Request::body($settings, $openids->current()));
                $openids->next();
                curl_multi_add_handle($multi, $handle);
            }
        };
        while (count($handles) < $settings['concurrency']) {
            $handles[] = curl_init();
        }
        array_map($next, $handles);
        for ($delivered = 0; $delivered < $count;) {
            if (curl_multi_exec($multi, $running) !== CURLM_OK || curl_multi_select($multi, 5.0) === -1 && $running > 0) {
                throw new RuntimeException((string) curl_multi_strerror(curl_multi_errno($multi)));
            }
            while (($done = curl_multi_info_read($multi)) !== false) {
                if ($done['result'] !== CURLE_OK || Request::read(curl_multi_getcontent($done['handle']))['errcode'] !== 0) {
                    throw new RuntimeException(curl_strerror($done['result']) . curl_multi_getcontent($done['handle']));
                }
                $delivered++;
                curl_multi_remove_handle($multi, $done['handle']);
                $next($done['handle']);
            }
        }
    };
};
