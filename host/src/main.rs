//! scratch
use curio_host::*;
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let t = Termination::take().unwrap();
    let e = Engine::new(&EngineOptions::default()).unwrap();
    let c = match Component::load(&e, &args[0]) { Ok(c) => c, Err(x) => { println!("{x}"); return } };
    let mut h = Host::new(&e).unwrap();
    let mut o = Options::default();
    o.permissions = Permissions::all();
    o.args = args;
    let i = h.start(&c, o).unwrap();
    h.end_on(t, i).unwrap();
    println!("{}", h.run(i).unwrap());
}
