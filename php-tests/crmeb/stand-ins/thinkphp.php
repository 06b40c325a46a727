<?php

declare(strict_types=1);

// Stand-ins for what CRMEB's seams use of ThinkPHP and of CRMEB itself. The database is a real one, SQLite in memory.

namespace RoutineTemplate\Tests\Crmeb {
    /** What the shop would have in its back office, and what it wrote to its log and removed from its cache. */
    final class BackOffice
    {
        /** @var array<string, string> eb_system_config */
        public static $settings = [];

        /** @var list<string> */
        public static $log = [];

        /** @var list<string> */
        public static $forgotten = [];

        /** @var array<string, mixed> */
        public static $config = [];
    }
}

namespace think\facade {
    use RoutineTemplate\Tests\Crmeb\BackOffice;

    class Log
    {
        public static function error($text): void
        {
            BackOffice::$log[] = $text;
        }
    }

    class Cache
    {
        public static function delete($name): bool
        {
            BackOffice::$forgotten[] = $name;
            return true;
        }
    }

    class Config
    {
        public static function get($name)
        {
            return BackOffice::$config[$name] ?? null;
        }
    }

    /** Builds an address as `Route::buildUrl($path)->suffix('')->domain(false)->build()`. */
    class Route
    {
        private $path;

        public static function buildUrl($path): self
        {
            $route = new self();
            $route->path = $path;
            return $route;
        }

        public function suffix($suffix): self
        {
            return $this;
        }

        public function domain($domain): self
        {
            return $this;
        }

        public function build(): string
        {
            return $this->path;
        }
    }

    class Db
    {
        /** @var \PDO|null */
        private static $database;

        public static function database(): \PDO
        {
            if (self::$database === null) {
                self::$database = new \PDO('sqlite::memory:', null, null, [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION]);
            }
            return self::$database;
        }

        public static function reset(): void
        {
            self::$database = null;
        }

        public static function name($table): \think\db\Query
        {
            return new \think\db\Query(self::database(), 'eb_' . $table);
        }
    }
}

namespace think\db {
    class Query
    {
        private $database;
        private $table;
        private $conditions = [];
        private $values = [];

        public function __construct(\PDO $database, string $table)
        {
            $this->database = $database;
            $this->table = $table;
        }

        public function where($column, $operator, $value = null): self
        {
            [$operator, $value] = func_num_args() === 2 ? ['=', $operator] : [$operator, $value];
            $this->conditions[] = "$column $operator ?";
            $this->values[] = $value;
            return $this;
        }

        public function order($column): self
        {
            return $this;
        }

        public function value($column)
        {
            return $this->column($column)[0] ?? null;
        }

        public function column($columns): array
        {
            $rows = $this->run("SELECT $columns FROM $this->table" . $this->conditions());
            return strpos($columns, ',') === false ? array_column($rows, $columns) : $rows;
        }

        public function update(array $columns): void
        {
            $set = implode(', ', array_map(static function (string $column): string {
                return "$column = ?";
            }, array_keys($columns)));
            $this->values = array_merge(array_values($columns), $this->values);
            $this->run("UPDATE $this->table SET $set" . $this->conditions());
        }

        public function getTableFields(): array
        {
            return array_column($this->run("PRAGMA table_info($this->table)"), 'name');
        }

        private function conditions(): string
        {
            return $this->conditions === [] ? '' : ' WHERE ' . implode(' AND ', $this->conditions);
        }

        private function run(string $sql): array
        {
            $statement = $this->database->prepare($sql);
            $statement->execute($this->values);
            return $statement->fetchAll(\PDO::FETCH_ASSOC);
        }
    }
}

namespace think {
    /** A request of the user who is logged in. */
    class Request
    {
        private $uid;
        private $post;
        private $query;
        private $input;

        public function __construct(int $uid = 0, array $post = [], array $query = [], string $input = '')
        {
            $this->uid = $uid;
            $this->post = $post;
            $this->query = $query;
            $this->input = $input;
        }

        public function uid()
        {
            return $this->uid;
        }

        public function post($name, $default = null)
        {
            return $this->post[$name] ?? $default;
        }

        public function get()
        {
            return $this->query;
        }

        public function getInput()
        {
            return $this->input;
        }
    }

    class Response
    {
        public $data;
        public $code;

        public static function create($data, string $type, int $code = 200): self
        {
            $response = new self();
            $response->data = $data;
            $response->code = $code;
            return $response;
        }
    }
}

namespace {
    use RoutineTemplate\Tests\Crmeb\BackOffice;

    function sys_config(string $name, $default = '')
    {
        return BackOffice::$settings[$name] ?? $default;
    }

    /** CRMEB's answers to its front end: status 200 or 400. */
    function app(string $name)
    {
        return new class {
            public function success($data): \think\Response
            {
                return \think\Response::create(['status' => 200, 'data' => $data], 'json');
            }

            public function fail(string $message): \think\Response
            {
                return \think\Response::create(['status' => 400, 'msg' => $message], 'json');
            }
        };
    }
}
