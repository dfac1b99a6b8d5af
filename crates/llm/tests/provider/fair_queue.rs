//! The queue in front of an endpoint.

use std::sync::atomic::AtomicUsize;

use axum::Router;
use futures::future::join_all;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use super::*;

/// A server that answers one request after the other, and refuses none; what it saw at once, at most.
async fn one_slot(takes: Duration) -> (String, Arc<AtomicUsize>) {
    let slot = Arc::new(Semaphore::new(1));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, seen) = (Arc::new(AtomicUsize::new(0)), most.clone());
    let answer = move || {
        let (slot, now, seen) = (slot.clone(), now.clone(), seen.clone());
        async move {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let place = slot.acquire().await.unwrap();
            tokio::time::sleep(takes).await;
            drop(place);
            now.fetch_sub(1, Ordering::SeqCst);
            [piece("Up."), stop(), usage(10, 2), done()].concat()
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, most)
}

fn of_run(number: u8) -> ChatRequest {
    let run = format!("01890000-0000-7000-8000-{number:012}").parse().unwrap();
    ChatRequest { run: Some(run), ..request() }
}

#[tokio::test]
async fn two_runs_of_four_requests_each_are_served_by_one_slot_although_all_take_longer_than_the_timeout() {
    let (url, most) = one_slot(Duration::from_millis(400)).await;
    let models = Tiers::same("local".to_owned());
    let mut config = ProviderConfig { base_url: Some(url), max_retries: 0, ..ProviderConfig::new(models) };
    config.requests_at_once = 1.try_into().unwrap();
    // Eight requests take 3.2 s.
    config.timeouts.first_token = Duration::from_millis(2_500);
    config.timeouts.total = Duration::from_millis(2_500);
    let provider = provider(config);
    let calls = (0..8_u8).map(|number| {
        let provider = &provider;
        async move {
            let mut heard = Vec::new();
            let mut sink = |piece: Piece<'_>| {
                if let Piece::InLine(before) = piece {
                    heard.push(before);
                }
            };
            let answer = provider.chat(&of_run(number / 4), &mut sink).await.map(|answer| answer.text);
            (answer, heard)
        }
    });
    let answers = join_all(calls).await;
    for (answer, _) in &answers {
        assert_eq!(answer.as_deref(), Ok("Up."));
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
    // The first of the other run waits for the one that is served and for the next of its run, not for all
    // that came before it; each is told whenever it moves up.
    assert!(answers[0].1.is_empty());
    assert_eq!(answers[4].1.last(), Some(&0));
    assert!(answers[4].1[0] <= 1, "{:?}", answers[4].1);
    assert!(answers[3].1.len() > 2 && answers[3].1.last() == Some(&0), "{:?}", answers[3].1);
}

#[tokio::test]
async fn two_models_at_one_address_have_one_queue_and_the_smallest_setting_counts() {
    let (url, most) = one_slot(Duration::from_millis(20)).await;
    let queues = EndpointQueues::default();
    let at = |base_url: String, at_once: usize| {
        let models = Tiers::same(format!("local-{at_once}"));
        let mut config = ProviderConfig { base_url: Some(base_url), ..ProviderConfig::new(models) };
        config.requests_at_once = at_once.try_into().unwrap();
        Provider::new(config, PriceTable::empty(), &queues).unwrap()
    };
    // Other paths and other settings, but the same server.
    let models = [at(format!("{url}/"), 8), at(url.replace("/v1", "/other"), 1)];
    let calls = (0..8_u8).map(|number| {
        let model = &models[usize::from(number % 2)];
        async move { model.chat(&of_run(number), &mut |_| ()).await.map(|answer| answer.text) }
    });
    for answer in join_all(calls).await {
        assert_eq!(answer.as_deref(), Ok("Up."));
    }
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_endpoint_that_serves_fewer_at_once_than_it_is_sent_gets_fewer() {
    // Two at once, which are held until all the others of the eight have been refused.
    let now = Arc::new(AtomicUsize::new(0));
    let refused = Arc::new(watch::Sender::new(0));
    let seen = refused.clone();
    let answer = move || {
        let (now, refused) = (now.clone(), refused.clone());
        async move {
            if now.fetch_add(1, Ordering::SeqCst) >= 2 {
                now.fetch_sub(1, Ordering::SeqCst);
                refused.send_modify(|count| *count += 1);
                let body = json!({"error": {"message": "Too many concurrent requests"}}).to_string();
                return (StatusCode::TOO_MANY_REQUESTS, body);
            }
            refused.subscribe().wait_for(|count| *count >= 6).await.unwrap();
            now.fetch_sub(1, Ordering::SeqCst);
            (StatusCode::OK, [piece("Up."), stop(), usage(10, 2), done()].concat())
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let models = Tiers::same("local".to_owned());
    let mut config = ProviderConfig { base_url: Some(url), ..ProviderConfig::new(models) };
    config.backoff.base = Duration::from_millis(2);
    let provider = provider(config);
    let calls = (0..16_u8).map(|number| {
        let provider = &provider;
        async move { provider.chat(&of_run(number % 2), &mut |_| ()).await.map(|answer| answer.text) }
    });
    for answer in join_all(calls).await {
        assert_eq!(answer.as_deref(), Ok("Up."));
    }
    assert_eq!(*seen.borrow(), 6, "once two at once are known, none is refused");
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_the_line() {
    let server = Server::start(vec![Reply::Hang, good("Up.")]).await;
    let mut config = config(&server);
    config.requests_at_once = 1.try_into().unwrap();
    let provider = provider(config);
    let (mut first, mut second) = (|_: Piece<'_>| (), |_: Piece<'_>| ());
    let (one, two) = (of_run(1), of_run(2));
    let mut served = Box::pin(provider.chat(&one, &mut first));
    let mut waits = Box::pin(provider.chat(&two, &mut second));
    assert!(futures::poll!(&mut served).is_pending());
    assert!(futures::poll!(&mut waits).is_pending());
    // The one that is served hangs, and is given up once the server has it; the one that waits is given up too.
    let asked = async {
        while server.seen().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut served => panic!("nothing is answered"),
        () = asked => {}
    }
    drop(waits);
    drop(served);
    assert_eq!(provider.chat(&two, &mut |_| ()).await.unwrap().text, "Up.");
}

#[tokio::test]
async fn a_refusal_because_of_too_many_at_once_names_the_setting() {
    let message = "Too many concurrent requests for this model.";
    let server = Server::start(vec![failure(429, json!({"error": {"message": message}}))]).await;
    let mut config = config(&server);
    config.rate_limit_patience = Duration::ZERO;
    let refused = ask(config, &request()).await.0.unwrap_err().to_string();
    assert!(refused.contains("PITWALL_MODEL_REQUESTS_AT_ONCE") && refused.contains(message), "{refused}");
}
