//! Ways to the server: one on which an answer is lost, one that measures the answers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passes `answers` exchanges on to the server, then lets one call through and closes without its answer.
pub fn lose_an_answer(port: u16, answers: usize) -> (u16, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().port();
    let pass_on = move || {
        let mut left = answers;
        for client in listener.incoming().take(2) {
            let mut client = client.unwrap();
            let mut server = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let mut buffer = vec![0; 65_536];
            while let Ok(length @ 1..) = client.read(&mut buffer) {
                server.write_all(&buffer[..length]).unwrap();
                let length = server.read(&mut buffer).unwrap();
                if left == 0 {
                    left = usize::MAX;
                    break;
                }
                left -= 1;
                client.write_all(&buffer[..length]).unwrap();
            }
        }
    };
    (proxy, std::thread::spawn(pass_on))
}

/// Passes one client's exchanges on to the server; the thread's result is the size of the largest answer.
pub fn measure_answers(port: u16) -> (u16, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap().port();
    let pass_on = move || {
        let (client, _) = listener.accept().unwrap();
        let server = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let answer = Arc::new(AtomicUsize::new(0));
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        let size = Arc::clone(&answer);
        let back = std::thread::spawn(move || {
            let (mut buffer, mut largest) = (vec![0; 65_536], 0);
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                largest = largest.max(size.fetch_add(length, Ordering::Relaxed) + length);
                to.write_all(&buffer[..length]).unwrap();
            }
            largest
        });
        let (mut from, mut to, mut buffer) = (client, server, vec![0; 65_536]);
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The next call: what came before it was the whole answer to the last one.
            answer.store(0, Ordering::Relaxed);
            to.write_all(&buffer[..length]).unwrap();
        }
        to.shutdown(Shutdown::Both).unwrap();
        back.join().unwrap()
    };
    (proxy, std::thread::spawn(pass_on))
}
