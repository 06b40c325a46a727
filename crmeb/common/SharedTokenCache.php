<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use Doctrine\Common\Cache\Cache;
use Doctrine\Common\Cache\FilesystemCache;
use RoutineTemplate\App;
use RoutineTemplate\Exception;

/**
 * EasyWeChat 3 的缓存（改动点 S2），用于不便改 Application 的地方：access_token 由 RoutineTemplate 提供，其他内容仍在原来的缓存。
 * A cache for EasyWeChat 3 (seam S2), where its Application cannot be changed: the access tokens are RoutineTemplate's, everything
 * else stays in the cache that was there.
 *
 * 'cache' => new \RoutineTemplate\Crmeb\SharedTokenCache()
 */
final class SharedTokenCache implements Cache
{
    private const PREFIXES = ['easywechat.common.mini.program.access_token.', 'easywechat.common.access_token.'];

    /** @var Cache */
    private $others;

    /** @var array<string, true> 已作废的 token / tokens that were deleted */
    private $stale = [];

    /** @param Cache|null $others 其他内容的缓存，默认与 EasyWeChat 相同 / for everything else, EasyWeChat's own if left out */
    public function __construct(?Cache $others = null)
    {
        $this->others = $others ?? new FilesystemCache(sys_get_temp_dir());
    }

    /**
     * @param string $id
     *
     * @return mixed false：没有，EasyWeChat 自己去取 / false: none, and EasyWeChat fetches one itself
     */
    public function fetch($id)
    {
        $app = self::account($id);
        if ($app === null) {
            return $this->others->fetch($id);
        }
        try {
            $token = $app->accessToken(isset($this->stale[$id]));
            unset($this->stale[$id]);
            return $token;
        } catch (Exception $failed) {
            return $this->others->fetch($id);
        }
    }

    /** @param string $id */
    public function contains($id)
    {
        return self::account($id) === null ? $this->others->contains($id) : $this->fetch($id) !== false;
    }

    /**
     * EasyWeChat 只在强制刷新（或取不到）之后保存 token：说明旧的已被拒绝，由 RoutineTemplate 更新自己的。
     * EasyWeChat saves a token after a forced refresh (or where it got none): the old one was refused, so RoutineTemplate renews its own.
     *
     * @param string $id
     * @param mixed $data
     * @param int $lifeTime
     */
    public function save($id, $data, $lifeTime = 0)
    {
        $app = self::account($id);
        if ($app === null) {
            return $this->others->save($id, $data, $lifeTime);
        }
        try {
            $app->accessToken(true);
            return true;
        } catch (Exception $failed) {
            return $this->others->save($id, $data, $lifeTime);
        }
    }

    /** @param string $id */
    public function delete($id)
    {
        if (self::account($id) !== null) {
            $this->stale[$id] = true;
        }
        return $this->others->delete($id);
    }

    public function getStats()
    {
        return $this->others->getStats();
    }

    /** @param mixed $id */
    private static function account($id): ?App
    {
        foreach (self::PREFIXES as $prefix) {
            if (strncmp((string)$id, $prefix, strlen($prefix)) === 0) {
                return Account::ofAppid(substr((string)$id, strlen($prefix)));
            }
        }
        return null;
    }
}
