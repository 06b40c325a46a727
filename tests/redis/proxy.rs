//! A way to the server on which an answer is lost.

use std::io::{Read, Write};
use std::net::TcpListener;

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
