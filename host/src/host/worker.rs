//! Workers: instances of an application that do jobs, each on a kernel of its own.

use std::io;
use std::sync::Arc;

use wasmtime::Store;

use super::running::Running;
use super::{Application, Exit, Host};
use crate::background::Background;
use crate::error::Error;
use crate::limits::Place;
use crate::loader::Engine;
use crate::traps::{Guest, lock};
use crate::workers::process::Started;
use crate::workers::{Inbox, Launch, Loss, LossReason, Outcome, Request, StartError};

/// How an application's workers are started.
#[derive(Debug)]
pub(super) struct Launcher {
    pub(super) engine: Engine,
    pub(super) background: Background,
    pub(super) application: Application,
}

impl Launch for Launcher {
    #[expect(clippy::disallowed_methods, reason = "the thread of a worker")]
    fn thread(self: Arc<Self>, inbox: Arc<Inbox>, place: Arc<Place>) -> io::Result<()> {
        std::thread::Builder::new()
            .name("curio-worker".to_owned())
            .spawn(move || {
                if let Err(error) = self.serve(&inbox) {
                    let loss = Loss::new(LossReason::Died, error.to_string());
                    inbox.finish(Outcome::Lost(loss));
                }
                drop(place);
            })
            .map(drop)
    }

    fn has_faster(&self) -> bool {
        Self::has_faster(self)
    }

    fn process(&self) -> Result<Started, StartError> {
        self.start_process()
    }
}

impl Launcher {
    /// Does jobs until the worker is told to stop, or a job ends it.
    fn serve(self: Arc<Self>, inbox: &Arc<Inbox>) -> Result<(), Error> {
        let mut host = Host::on_system(&self.engine, self.background.clone())?;
        host.serve(&self, inbox, |_| Ok(true))
    }
}

impl Host {
    /// Runs a worker's instance until it is told to stop, there is nothing more to come in, or a job ends it.
    pub(super) fn serve(
        &mut self,
        launcher: &Arc<Launcher>,
        inbox: &Arc<Inbox>,
        mut take_in: impl FnMut(&Inbox) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let application = &launcher.application;
        let allowance = application.allowance.clone();
        let key = lock(&self.kernel).add_instance_sharing(application.limits, allowance);
        let running = Running::worker(&self.kernel, key, launcher.clone(), inbox.clone())?;
        self.running.insert(key, running);
        inbox.attach(lock(&self.kernel).door(), key);
        let runtime = self.background.handle();
        let _entered = runtime.enter();
        let mut active = self.activate();
        loop {
            match inbox.request() {
                Some(Request::Stop) => self.end(key, Exit::Stopped),
                Some(Request::Interrupt) => lock(&self.kernel).interrupt(key),
                None => {}
            }
            if !self.running.contains_key(key) || !take_in(inbox)? {
                return Ok(());
            }
            self.pass(&mut active)?;
        }
    }
}

/// Does the jobs that come into an inbox, until one of them ends the instance. Says how that was.
pub(super) async fn do_jobs(
    mut store: Store<Guest>,
    launcher: Arc<Launcher>,
    inbox: Arc<Inbox>,
) -> (Exit, Store<Guest>) {
    let application = &launcher.application;
    let result = async {
        let jobs = application.component.jobs(&mut store).await?;
        loop {
            let call = inbox.next().await;
            let output = jobs.run(&mut store, &call).await?;
            drop(call);
            let data = store.data_mut();
            data.panic = None;
            let mut kernel = lock(&data.kernel);
            kernel.instance(data.key).end_interruption();
            drop(kernel);
            inbox.finish(Outcome::returned(output, &application.allowance));
        }
    };
    let error: wasmtime::Result<std::convert::Infallible> = result.await;
    let error = error.map(|never| match never {});
    if let Some(streams) = &application.streams {
        streams.written().await;
    }
    let data = store.data_mut();
    let exit = Exit::new(error, data.refused.take(), &application.limits);
    let loss = match (&exit, data.panic.take()) {
        (Exit::Fault(_), Some(message)) => Loss::new(LossReason::Panicked, message),
        (Exit::Fault(text), None) => Loss::new(LossReason::Faulted, text),
        (Exit::Code(_), _) => Loss::new(LossReason::Exited, exit.to_string()),
        (Exit::Limit(limit), _) => Loss::new(LossReason::Limit, limit.to_string()),
        (Exit::Stopped, _) => Loss::new(LossReason::Stopped, exit.to_string()),
    };
    inbox.finish(Outcome::Lost(loss));
    (exit, store)
}
