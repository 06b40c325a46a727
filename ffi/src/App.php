<?php

declare(strict_types=1);

namespace RoutineTemplate;

use RoutineTemplate\Ffi\Bulk;
use RoutineTemplate\Ffi\Call;
use RoutineTemplate\Ffi\Event;
use RoutineTemplate\Ffi\Suppliers;

/**
 * 一个账号的方法，由 RoutineTemplate::app($appid) 取得。
 * The methods for one account, from RoutineTemplate::app($appid).
 */
final class App
{
    /** @var string */
    private $appid = '';

    private function __construct()
    {
    }

    /** 与扩展一样不能序列化。 Not serializable, as in the extension. */
    public function __serialize(): array
    {
        throw new \Exception("Serialization of 'RoutineTemplate\\App' is not allowed");
    }

    public function __unserialize(array $data): void
    {
        throw new \Exception("Unserialization of 'RoutineTemplate\\App' is not allowed");
    }

    public function configure(
        #[\SensitiveParameter]
        $config
    ): void {
        Call::makeTagged('configure', $this->appid, [Suppliers::tagged($config)] + func_get_args());
    }

    public function send($openid, $templateId, $data, $page = null, $options = []): array
    {
        return Call::make('send', $this->appid, func_get_args());
    }

    public function queue($openid, $templateId, $data, $page = null, $options = []): string
    {
        return Call::make('queue', $this->appid, func_get_args());
    }

    public function flush($timeoutMs = 5000): int
    {
        return Call::make('flush', $this->appid, func_get_args());
    }

    public function sendMany($messages, $options = []): array
    {
        return Bulk::send($this->appid, func_get_args());
    }

    public function sendTemplate($openId, $templateId, $link = '', $dataKey = [])
    {
        return Call::make('sendTemplate', $this->appid, func_get_args());
    }

    public function validate($templateId, $data, $options = []): array
    {
        return Call::make('validate', $this->appid, func_get_args());
    }

    public function registerTemplate($key, $templateId, $content = null): void
    {
        Call::make('registerTemplate', $this->appid, func_get_args());
    }

    public function templateId($key): ?string
    {
        return Call::make('templateId', $this->appid, func_get_args());
    }

    public function templates($refresh = false): array
    {
        return Call::make('templates', $this->appid, func_get_args());
    }

    public function addTemplate($tid, $keywordIds, $scene): string
    {
        return Call::make('addTemplate', $this->appid, func_get_args());
    }

    public function deleteTemplate($templateId): void
    {
        Call::make('deleteTemplate', $this->appid, func_get_args());
    }

    public function categories(): array
    {
        return Call::make('categories', $this->appid, func_get_args());
    }

    public function publicTemplates($categoryIds, $start = 0, $limit = 30): array
    {
        return Call::make('publicTemplates', $this->appid, func_get_args());
    }

    public function publicKeywords($tid): array
    {
        return Call::make('publicKeywords', $this->appid, func_get_args());
    }

    public function syncTemplates($wanted, $options = []): array
    {
        return Call::make('syncTemplates', $this->appid, func_get_args());
    }

    public function accessToken($refresh = false): string
    {
        return Call::make('accessToken', $this->appid, func_get_args());
    }

    public function recordGrants($openid, $result, $options = []): array
    {
        return Call::make('recordGrants', $this->appid, func_get_args());
    }

    public function grants($openid, $templateId = null): array
    {
        return Call::make('grants', $this->appid, func_get_args());
    }

    public function audience($templateId, $cursor = null, $limit = 1000): array
    {
        return Call::make('audience', $this->appid, func_get_args());
    }

    public function requestTemplates($openid, $keys, $options = []): array
    {
        return Call::make('requestTemplates', $this->appid, func_get_args());
    }

    public function handlePush($query, $body): array
    {
        return Call::make('handlePush', $this->appid, func_get_args());
    }

    public function recordEvent($message): bool
    {
        return Call::makeTagged('recordEvent', $this->appid, [Event::tagged($message)] + func_get_args());
    }

    public function status($id): ?array
    {
        return Call::make('status', $this->appid, func_get_args());
    }

    public function deliveries($filter = []): array
    {
        return Call::make('deliveries', $this->appid, func_get_args());
    }

    public function quota($path): array
    {
        return Call::make('quota', $this->appid, func_get_args());
    }

    public function clearQuota($path = null): array
    {
        return Call::make('clearQuota', $this->appid, func_get_args());
    }

    public function rid($rid): array
    {
        return Call::make('rid', $this->appid, func_get_args());
    }

    public function sendOneTime($openid, $templateId, $scene, $title, $content, $options = []): array
    {
        return Call::make('sendOneTime', $this->appid, func_get_args());
    }

    public function uniformSend($message = []): array
    {
        return Call::make('uniformSend', $this->appid, func_get_args());
    }

    public function wxopenTemplateSend($message = []): array
    {
        return Call::make('wxopenTemplateSend', $this->appid, func_get_args());
    }

    public function stats(): array
    {
        return Call::make('stats', $this->appid, func_get_args());
    }
}
