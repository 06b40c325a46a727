<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use EasyWeChat\Core\Exceptions\HttpException;
use EasyWeChat\MiniProgram\AccessToken;
use Pimple\Container;
use RoutineTemplate\ConfigException;
use RoutineTemplate\RefusedException;
use RoutineTemplate\TransportException;

/**
 * EasyWeChat 3 与 RoutineTemplate 共用一个 access_token（改动点 S3），互不顶替。
 * EasyWeChat 3 and RoutineTemplate use one access_token (seam S3), and neither rotates the other's.
 *
 * 放在 crmeb\services\easywechat\Application 构造函数的末尾 / at the end of its constructor:
 * \RoutineTemplate\Crmeb\SharedAccessToken::install($this);
 */
final class SharedAccessToken extends AccessToken
{
    /** 公众号 token 在 EasyWeChat 缓存里的前缀，没有扩展时使用 / EasyWeChat's own prefix, for where it fetches the token itself */
    private const OFFICIAL_PREFIX = 'easywechat.common.access_token.';

    /**
     * 换掉容器里的 token；五个 provider 都登记同一个键，因此要在它们之后。
     * Replaces the tokens of the container. Five providers register the same key, so it comes after them.
     */
    public static function install(Container $application): void
    {
        $application['mini_program.access_token'] = static function (Container $container): self {
            $config = $container['config']['mini_program'] ?? [];
            return new self($config['app_id'] ?? '', $config['secret'] ?? '', $container['cache']);
        };
        foreach (['access_token', 'wechat.access_token'] as $name) {
            if (isset($application[$name])) {
                $application[$name] = static function (Container $container): self {
                    $config = $container['config'];
                    $token = new self($config['app_id'] ?? '', $config['secret'] ?? '', $container['cache']);
                    return $token->setPrefix(self::OFFICIAL_PREFIX);
                };
            }
        }
    }

    /**
     * EasyWeChat 在 40001、42001 之后强制刷新时，由 RoutineTemplate 先核对是否已有新的 token。
     * After 40001 or 42001 EasyWeChat forces another one: RoutineTemplate looks first whether there is a newer one already.
     *
     * @param bool $forceRefresh
     *
     * @return string
     *
     * @throws HttpException 与 EasyWeChat 相同的错误信息 / with the text that EasyWeChat writes
     * @throws TransportException 微信没有回答 / no answer
     */
    public function getToken($forceRefresh = false)
    {
        $app = Account::of((string)$this->getAppId(), (string)$this->getSecret());
        if ($app === null) {
            return parent::getToken($forceRefresh);
        }
        try {
            return $app->accessToken((bool)$forceRefresh);
        } catch (RefusedException | ConfigException $refused) {
            // CRMEB reads the errcode out of this text (MiniProgramService::getValidMessgae).
            $answer = json_encode(
                ['errcode' => $refused->getCode(), 'errmsg' => $refused->getMessage()],
                JSON_UNESCAPED_UNICODE | JSON_PARTIAL_OUTPUT_ON_ERROR
            );
            throw new HttpException('Request AccessToken fail. response: ' . $answer, $refused->getCode());
        }
    }
}
