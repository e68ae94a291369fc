function Page() {
  // sample: Custom Authentication
  return control;
}

say('secret', await start(mount(Page).result));
