//! What the field stage costs per message.

use criterion::{Criterion, criterion_group, criterion_main};
use routine_template::field::{Mode, check};
use routine_template::message::{Channel, Input};
use routine_template::template::Template;
use std::borrow::Cow;
use std::hint::black_box;

fn message<'a>(members: &[(&'a str, &'a str)]) -> Input<'a> {
    Input::Map(members.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), Input::text(*value))).collect())
}

fn field(criterion: &mut Criterion) {
    let paid = message(&[
        ("character_string1", "wx202410211530251234567890"),
        ("amount2", "129.00"),
        ("thing3", "新疆阿克苏冰糖心苹果 5斤装"),
        ("date4", "2024-10-21 15:30:25"),
        ("phrase5", "已支付"),
    ]);
    let template = Template::from_content(
        "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n商品{{thing3.DATA}}\n时间{{date4.DATA}}\n状态{{phrase5.DATA}}",
    );
    let broken = message(&[
        ("character_string1.DATA", " wx202410211530251234567890 "),
        ("amount2", "1,129.000"),
        ("thing3", "🍎新疆阿克苏冰糖心苹果 5斤装 顺丰包邮 坏果包赔\n今日特价"),
        ("date4", "2024-10-21T15:30:25+08:00"),
        ("phrase5", "已支付！"),
    ]);
    let run = |data: &Input<'_>, template: Option<&Template>, mode| {
        check(black_box(data), template, mode, Channel::Subscribe)
    };
    assert!(run(&paid, Some(&template), Mode::Fit).changes.is_empty());
    assert_eq!(run(&broken, Some(&template), Mode::Fit).changes.len(), 5);
    assert!(run(&broken, Some(&template), Mode::Fit).violations.is_empty());

    criterion.bench_function("order paid, clean, no template", |bencher| bencher.iter(|| run(&paid, None, Mode::Fit)));
    criterion.bench_function("order paid, clean, template", |bencher| {
        bencher.iter(|| run(&paid, Some(&template), Mode::Fit))
    });
    criterion.bench_function("order paid, clean, strict", |bencher| {
        bencher.iter(|| run(&paid, Some(&template), Mode::Strict))
    });
    criterion.bench_function("order paid, every field repaired", |bencher| {
        bencher.iter(|| run(&broken, Some(&template), Mode::Fit));
    });
    criterion.bench_function("order paid, every field refused", |bencher| {
        bencher.iter(|| run(&broken, Some(&template), Mode::Strict));
    });
}

criterion_group!(benches, field);
criterion_main!(benches);
