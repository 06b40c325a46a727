<?php

declare(strict_types=1);

use RoutineTemplate\App;
use RoutineTemplate\Ffi\Bulk;
use RoutineTemplate\Ffi\Call;
use RoutineTemplate\Ffi\Event;
use RoutineTemplate\Ffi\Suppliers;

/**
 * 默认账号的静态方法，与扩展相同；每个方法的说明见 stubs/routine_template.stub.php。
 * Static methods for the default account, as the extension has them; stubs/routine_template.stub.php says what each does.
 *
 * 参数没有类型声明：类型由库检查，规则和文字与扩展相同。
 * Parameters have no types: the library checks them, with the rules and the words of the extension.
 */
final class RoutineTemplate
{
    private function __construct()
    {
    }

    /** 与扩展一样不能序列化。 Not serializable, as in the extension. */
    public function __serialize(): array
    {
        throw new Exception("Serialization of 'RoutineTemplate' is not allowed");
    }

    public function __unserialize(array $data): void
    {
        throw new Exception("Unserialization of 'RoutineTemplate' is not allowed");
    }

    public static function app($appid): App
    {
        $appid = Call::make('app', null, func_get_args());
        // 构造函数是私有的。 The constructor is private.
        return Closure::bind(static function () use ($appid): App {
            $app = new App();
            $app->appid = $appid;
            return $app;
        }, null, App::class)();
    }

    public static function version(): string
    {
        return Call::make('version', null, func_get_args());
    }

    public static function configure(
        #[\SensitiveParameter]
        $config
    ): void {
        Call::makeTagged('configure', null, [Suppliers::tagged($config)] + func_get_args());
    }

    public static function send($openid, $templateId, $data, $page = null, $options = []): array
    {
        return Call::make('send', null, func_get_args());
    }

    public static function queue($openid, $templateId, $data, $page = null, $options = []): string
    {
        return Call::make('queue', null, func_get_args());
    }

    public static function flush($timeoutMs = 5000): int
    {
        return Call::make('flush', null, func_get_args());
    }

    public static function sendMany($messages, $options = []): array
    {
        return Bulk::send(null, func_get_args());
    }

    public static function sendTemplate($openId, $templateId, $link = '', $dataKey = [])
    {
        return Call::make('sendTemplate', null, func_get_args());
    }

    public static function validate($templateId, $data, $options = []): array
    {
        return Call::make('validate', null, func_get_args());
    }

    public static function registerTemplate($key, $templateId, $content = null): void
    {
        Call::make('registerTemplate', null, func_get_args());
    }

    public static function templateId($key): ?string
    {
        return Call::make('templateId', null, func_get_args());
    }

    public static function templates($refresh = false): array
    {
        return Call::make('templates', null, func_get_args());
    }

    public static function addTemplate($tid, $keywordIds, $scene): string
    {
        return Call::make('addTemplate', null, func_get_args());
    }

    public static function deleteTemplate($templateId): void
    {
        Call::make('deleteTemplate', null, func_get_args());
    }

    public static function categories(): array
    {
        return Call::make('categories', null, func_get_args());
    }

    public static function publicTemplates($categoryIds, $start = 0, $limit = 30): array
    {
        return Call::make('publicTemplates', null, func_get_args());
    }

    public static function publicKeywords($tid): array
    {
        return Call::make('publicKeywords', null, func_get_args());
    }

    public static function syncTemplates($wanted, $options = []): array
    {
        return Call::make('syncTemplates', null, func_get_args());
    }

    public static function accessToken($refresh = false): string
    {
        return Call::make('accessToken', null, func_get_args());
    }

    public static function recordGrants($openid, $result, $options = []): array
    {
        return Call::make('recordGrants', null, func_get_args());
    }

    public static function grants($openid, $templateId = null): array
    {
        return Call::make('grants', null, func_get_args());
    }

    public static function audience($templateId, $cursor = null, $limit = 1000): array
    {
        return Call::make('audience', null, func_get_args());
    }

    public static function requestTemplates($openid, $keys, $options = []): array
    {
        return Call::make('requestTemplates', null, func_get_args());
    }

    public static function handlePush($query, $body): array
    {
        return Call::make('handlePush', null, func_get_args());
    }

    public static function recordEvent($message): bool
    {
        return Call::makeTagged('recordEvent', null, [Event::tagged($message)] + func_get_args());
    }

    public static function status($id): ?array
    {
        return Call::make('status', null, func_get_args());
    }

    public static function deliveries($filter = []): array
    {
        return Call::make('deliveries', null, func_get_args());
    }

    public static function quota($path): array
    {
        return Call::make('quota', null, func_get_args());
    }

    public static function clearQuota($path = null): array
    {
        return Call::make('clearQuota', null, func_get_args());
    }

    public static function rid($rid): array
    {
        return Call::make('rid', null, func_get_args());
    }

    public static function sendOneTime($openid, $templateId, $scene, $title, $content, $options = []): array
    {
        return Call::make('sendOneTime', null, func_get_args());
    }

    public static function uniformSend($message = []): array
    {
        return Call::make('uniformSend', null, func_get_args());
    }

    public static function wxopenTemplateSend($message = []): array
    {
        return Call::make('wxopenTemplateSend', null, func_get_args());
    }

    public static function stats(): array
    {
        return Call::make('stats', null, func_get_args());
    }
}
