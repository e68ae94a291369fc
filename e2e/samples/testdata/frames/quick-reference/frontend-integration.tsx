function Page() {
  // sample: Frontend Integration
}

const { type, props } = mount(Page).result;
say('drawn', [type, props.className]);
say('secret', await start(props.control));
