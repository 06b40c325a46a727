//! The scripts themselves.

use routine_template::store::*;

use super::message::*;
use super::redis_server::RedisServer;

#[test]
fn a_message_goes_through_all_its_stages() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let owner = Owner::current();
    assert!(!accept(&store, "report").unwrap().duplicate);
    assert!(accept(&store, "report").unwrap().duplicate);
    let message = begin(&owner, Some("order:1|paid"));
    let Begun::Go { id, epoch, grant, seen } = store.begin(&message, soon()).unwrap() else { panic!("not let go") };
    assert_eq!((id, epoch, grant, seen), (message.id, 1, Grant::Reserved, 1));
    assert_eq!(store.begin(&message, soon()).unwrap(), Begun::Go { id, epoch, grant, seen });
    let again = begin(&owner, Some("order:1|paid"));
    let Begun::UnderWay(row, by) = store.begin(&again, soon()).unwrap() else { panic!("not under way") };
    assert_eq!((row.id, row.state, by.as_str()), (id, State::Sending, owner.as_str()));
    for _ in 0..2 {
        store.finish(&message, epoch, &delivered(grant), soon()).unwrap();
        assert_eq!(store.usage(APPID, API, DAY, soon()).unwrap().calls, 1);
    }
    let Begun::Known(row) = store.begin(&again, soon()).unwrap() else { panic!("not known") };
    assert_eq!((row.id, row.state, row.attempts), (id, State::Delivered, 1));
    assert_eq!(row.msgid.as_deref(), Some("36893488147419103233"));
    assert_eq!(row.payload.as_deref(), message.payload);
    let filter = Filter { openid: Some(OPENID), state: Some(State::Delivered), limit: 10, ..Filter::default() };
    assert_eq!(store.deliveries(APPID, &filter, soon()).unwrap(), std::slice::from_ref(&row));
    assert_eq!(store.delivery(APPID, id, soon()).unwrap(), Some(row));
    let row = ledger(&store);
    assert_eq!((row.available, row.reserved, row.accepted, row.delivered), (0, 0, 1, 1));
    let credit = begin(&owner, None);
    let Begun::Go { grant: Grant::OnCredit, seen: 1, .. } = store.begin(&credit, soon()).unwrap() else {
        panic!("no credit")
    };
}
