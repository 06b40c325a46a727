<?php

declare(strict_types=1);

// Stand-ins for the classes of EasyWeChat 3 that CRMEB's seams meet, as far as the seams use them.

namespace EasyWeChat\Support {
    /** What EasyWeChat answers: members by key, by property and by get(). */
    class Collection implements \ArrayAccess, \IteratorAggregate, \JsonSerializable
    {
        /** @var array<string, mixed> */
        private $items;

        public function __construct(array $items = [])
        {
            $this->items = $items;
        }

        public function all(): array
        {
            return $this->items;
        }

        public function getIterator(): \Iterator
        {
            return new \ArrayIterator($this->items);
        }

        public function jsonSerialize(): array
        {
            return $this->items;
        }

        /** @return mixed */
        public function get($key, $default = null)
        {
            return $this->items[$key] ?? $default;
        }

        /** @return mixed */
        public function __get($key)
        {
            return $this->get($key);
        }

        #[\ReturnTypeWillChange]
        public function offsetExists($key)
        {
            return isset($this->items[$key]);
        }

        #[\ReturnTypeWillChange]
        public function offsetGet($key)
        {
            return $this->get($key);
        }

        #[\ReturnTypeWillChange]
        public function offsetSet($key, $value)
        {
            $this->items[$key] = $value;
        }

        #[\ReturnTypeWillChange]
        public function offsetUnset($key)
        {
            unset($this->items[$key]);
        }
    }
}

namespace EasyWeChat\Core\Exceptions {
    class HttpException extends \Exception
    {
    }

    class InvalidArgumentException extends \Exception
    {
    }
}

namespace EasyWeChat\MiniProgram {
    use Doctrine\Common\Cache\Cache;

    /** Fetches a token by itself: what remains where RoutineTemplate is not there. */
    class AccessToken
    {
        protected $prefix = 'easywechat.common.mini.program.access_token.';
        private $appId;
        private $secret;
        private $cache;

        public function __construct($appId, $secret, ?Cache $cache = null)
        {
            $this->appId = $appId;
            $this->secret = $secret;
            $this->cache = $cache;
        }

        public function getAppId()
        {
            return $this->appId;
        }

        public function getSecret()
        {
            return $this->secret;
        }

        public function setPrefix($prefix)
        {
            $this->prefix = $prefix;
            return $this;
        }

        public function getToken($forceRefresh = false)
        {
            return 'fetched by EasyWeChat for ' . $this->prefix . $this->appId . ($forceRefresh ? ', by force' : '');
        }
    }
}

namespace Doctrine\Common\Cache {
    interface Cache
    {
        public function fetch($id);

        public function contains($id);

        public function save($id, $data, $lifeTime = 0);

        public function delete($id);

        public function getStats();
    }

    /** A cache in memory, under the name of the one that EasyWeChat takes by default. */
    class FilesystemCache implements Cache
    {
        /** @var array<string, mixed> */
        private $items = [];

        public function __construct($directory)
        {
        }

        public function fetch($id)
        {
            return $this->items[$id] ?? false;
        }

        public function contains($id)
        {
            return isset($this->items[$id]);
        }

        public function save($id, $data, $lifeTime = 0)
        {
            $this->items[$id] = $data;
            return true;
        }

        public function delete($id)
        {
            unset($this->items[$id]);
            return true;
        }

        public function getStats()
        {
            return null;
        }
    }
}

namespace Pimple {
    /** A container whose closures are called once, when their value is asked for. */
    class Container implements \ArrayAccess
    {
        /** @var array<string, mixed> */
        private $values = [];

        #[\ReturnTypeWillChange]
        public function offsetExists($key)
        {
            return isset($this->values[$key]);
        }

        #[\ReturnTypeWillChange]
        public function offsetGet($key)
        {
            if ($this->values[$key] instanceof \Closure) {
                $this->values[$key] = ($this->values[$key])($this);
            }
            return $this->values[$key];
        }

        #[\ReturnTypeWillChange]
        public function offsetSet($key, $value)
        {
            $this->values[$key] = $value;
        }

        #[\ReturnTypeWillChange]
        public function offsetUnset($key)
        {
            unset($this->values[$key]);
        }
    }
}
